import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { ada, auditOf, disableUser, type FrontDoor, grace, openFrontDoor } from '../support/front-door.ts'
import { newVisitor, type Page } from '../support/visitor.ts'

const chosen = 'a difference of engines 1822'

describe('the link for a password', () => {
  let door: FrontDoor
  let clock: FixedClock
  let graceId: string
  beforeAll(async () => {
    clock = fixedClock(new Date())
    door = await openFrontDoor({ clock })
    graceId = await door.latchkey.createUser(grace)
  })
  afterAll(() => door[Symbol.asyncDispose]())

  const link = async (userId = door.adaId, purpose: 'reset' | 'invitation' = 'reset'): Promise<string> =>
    (
      await door.latchkey.app.features.passwords.passwords.issueLink(userId, purpose, {
        actor: { kind: 'system' },
      })
    ).url
  const signsIn = async (email: string, password: string): Promise<boolean> => {
    const visitor = newVisitor()
    const answer = await visitor.submit(
      await door.begin(visitor),
      { identifier: email, password },
      { action: '/password' },
    )
    return answer.status === 303
  }
  const choose = async (visitor: ReturnType<typeof newVisitor>, page: Page, password: string) =>
    await visitor.follow(await visitor.submit(page, { password }, { action: '/set-password' }))

  it('names whose it is, and sets the password of that person alone, once', async () => {
    const url = await link(graceId)
    expect(new URL(url).origin).toBe(door.latchkey.issuer)
    const visitor = newVisitor()
    const page = await visitor.get(url)
    expect(page.text).toContain('Grace Hopper')
    const done = await choose(visitor, page, chosen)
    expect(done.status).toBe(200)
    expect(await signsIn(grace.email, chosen)).toBe(true)
    expect(await signsIn(grace.email, grace.password)).toBe(false)
    expect(await signsIn(ada.email, ada.password)).toBe(true)
    expect(await signsIn(ada.email, chosen)).toBe(false)

    const again = await choose(visitor, page, 'something else entirely')
    expect(again.status).toBe(410)
    expect(again.text).not.toContain('name="password"')
    expect((await newVisitor().get(url)).status).toBe(403)
    expect(await signsIn(grace.email, chosen)).toBe(true)
    expect(
      (await auditOf(door.latchkey)).filter(({ action }) => action === 'passwords.chosen'),
    ).toMatchObject([{ userId: graceId, actor: `user:${graceId}` }])
  })

  it('works for one of 10 people who have it', async () => {
    const url = await link(graceId)
    const people = Array.from({ length: 10 }, () => newVisitor())
    const pages = await Promise.all(people.map((visitor) => visitor.get(url)))
    const answers = await Promise.all(
      people.map((visitor, index) => choose(visitor, pages[index] as Page, `${chosen} ${index}`)),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(9).fill(410)])
    const winner = answers.findIndex(({ status }) => status === 200)
    expect(await signsIn(grace.email, `${chosen} ${winner}`)).toBe(true)
  })

  it('says beside the field what is wrong with a password, and then still works', async () => {
    const visitor = newVisitor()
    const page = await visitor.get(await link())
    for (const [password, words] of [
      ['short', 'at least 8 characters'],
      ['', 'at least 8 characters'],
      ['password123', 'attackers try first'],
      ['Ada Lovelace', 'your name or address'],
      ['x'.repeat(1_025), 'at most 1,024'],
    ] as const) {
      const answer = await choose(visitor, page, password)
      expect([password.slice(0, 20), answer.status]).toEqual([password.slice(0, 20), 400])
      expect(/id="password-error"[^>]*>([^<]+)</.exec(answer.text)?.[1]).toContain(words)
      expect(answer.text).toContain('Ada Lovelace')
      if (password.length > 0 && password !== 'Ada Lovelace')
        expect(answer.text).not.toContain(`"${password}"`)
    }
    expect((await choose(visitor, page, ada.password)).status).toBe(200)
  })

  it('ends with its time, with a newer one, and with its person', async () => {
    const first = await link()
    const second = await link()
    expect((await newVisitor().get(first)).status).toBe(403)
    expect((await newVisitor().get(second)).status).toBe(200)
    const visitor = newVisitor()
    const page = await visitor.get(second)
    clock.advance(3_600)
    expect((await newVisitor().get(second)).status).toBe(403)
    expect((await choose(visitor, page, chosen)).status).toBe(410)

    const id = await door.latchkey.createUser({ email: 'leaver@example.test', password: chosen })
    const leaver = newVisitor()
    const form = await leaver.get(await link(id))
    await disableUser(door.latchkey, id)
    expect((await choose(leaver, form, 'another of his words')).status).toBe(410)
  })

  it('refuses tokens that are none', async () => {
    for (const token of ['', 'x', 'A'.repeat(43), 'A'.repeat(8_000), '../x', "' OR 1=1"]) {
      const page = await newVisitor().get(
        `${door.latchkey.issuer}/set-password?${new URLSearchParams({ token })}`,
      )
      expect([token.slice(0, 10), page.status]).toEqual([token.slice(0, 10), 403])
      expect(page.text).not.toContain('name="password"')
    }
  })

  it('ends what the person had open, elsewhere too', async () => {
    const visitor = await door.signedIn()
    expect((await visitor.get(`${door.latchkey.issuer}/account`)).status).toBe(200)
    const other = newVisitor()
    await choose(other, await other.get(await link()), ada.password)
    expect((await visitor.get(`${door.latchkey.issuer}/account`)).status).toBe(303)
  })
})
