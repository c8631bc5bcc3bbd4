import { describe, expect, it } from 'vitest'
import { fixedClock } from '../support/clock.ts'
import { auditOf } from '../support/front-door.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

const filled = {
  name: 'Ada Lovelace',
  email: 'ada@example.test',
  username: 'ada',
  password: 'seven purple umbrellas',
}

const linkOf = async ({ app }: RunningLatchkey): Promise<string> =>
  (await app.features.setup.setup.issueLink()).url
const tokenOf = (url: string): string => new URL(url).searchParams.get('token') ?? ''

/** Posts the set-up form with a form token of this browser, whatever page there is. */
async function complete(
  { issuer }: RunningLatchkey,
  visitor: Visitor,
  fields: Readonly<Record<string, string>>,
) {
  const any = await visitor.get(
    `${issuer}/auth?client_id=latchkey&response_type=none&scope=openid&redirect_uri=${encodeURIComponent(`${issuer}/`)}`,
  )
  const token = /name="_csrf" value="([^"]+)"/.exec((await visitor.follow(any)).text)?.[1] ?? ''
  return await visitor.post(`${issuer}/setup`, { ...filled, _csrf: token, ...fields })
}

describe('set-up', () => {
  it('is where the server leads until there is an administrator, who then signs in', async () => {
    await using latchkey = await startLatchkey()
    const visitor = newVisitor()
    const { issuer } = latchkey
    expect((await visitor.get(`${issuer}/`)).location).toBe(`${issuer}/setup`)
    const form = await visitor.get(await linkOf(latchkey))
    expect(form.text).toContain('name="password"')
    const done = await visitor.submit(form, filled)
    expect(done.status).toBe(303)
    const signIn = await visitor.follow(done)
    expect(signIn.text).toContain('value="ada@example.test"')
    const home = await visitor.follow(
      await visitor.submit(
        signIn,
        { identifier: filled.email, password: filled.password },
        { action: '/password' },
      ),
    )
    expect(home.url).toBe(`${issuer}/account`)
    expect(home.text).toContain('Ada Lovelace')
    expect(home.text).toContain('Administrator')
    expect((await newVisitor().get(`${issuer}/`)).location).toContain('/auth?')
    expect((await newVisitor().get(form.url)).location).toBe(`${issuer}/`)
    expect((await auditOf(latchkey)).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['setup.link_issued', 'setup.completed', 'login.signed_in']),
    )
  })

  it('takes an administrator with a user name alone to the sign-in with it', async () => {
    await using latchkey = await startLatchkey()
    const visitor = newVisitor()
    const done = await visitor.submit(await visitor.get(await linkOf(latchkey)), { ...filled, email: '' })
    expect(done.status).toBe(303)
    expect((await visitor.follow(done)).text).toContain('value="ada"')
  })

  it('is not for the first visitor', async () => {
    await using latchkey = await startLatchkey()
    const used = await linkOf(latchkey)
    const valid = await linkOf(latchkey) // ends the one before
    for (const token of [
      '',
      'x',
      tokenOf(used),
      `${tokenOf(valid)}x`,
      tokenOf(valid).toLowerCase(),
      'A'.repeat(43),
      '%',
      "' OR 1=1",
    ]) {
      const page = await newVisitor().get(`${latchkey.issuer}/setup?${new URLSearchParams({ token })}`)
      expect([token, page.status]).toEqual([token, 403])
      expect(page.text).not.toContain('name="password"')
      expect(page.text).toContain('latchkey setup link')
      const answer = await complete(latchkey, newVisitor(), { token })
      expect([token, answer.status]).toEqual([token, 403])
    }
    expect(await latchkey.app.storage.db.user.count()).toBe(0)
  })

  it('ends with its link, and a new link goes on', async () => {
    const clock = fixedClock(new Date())
    await using latchkey = await startLatchkey({ clock, environment: { LATCHKEY_SETUP_LINK_SECONDS: '60' } })
    const late = await linkOf(latchkey)
    const visitor = newVisitor()
    const form = await visitor.get(late)
    clock.advance(60)
    const refused = await visitor.submit(form, filled)
    expect(refused.status).toBe(403)
    expect(refused.text).toContain('expired')
    expect((await visitor.get(late)).text).toContain('expired')
    expect((await visitor.submit(await visitor.get(await linkOf(latchkey)), filled)).status).toBe(303)
  })

  it('makes exactly one administrator of 20 people who have the link', async () => {
    await using latchkey = await startLatchkey()
    const link = await linkOf(latchkey)
    const people = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const visitor = newVisitor()
        return {
          visitor,
          page: await visitor.get(link),
          fields: { ...filled, email: `ada-${index}@example.test`, username: `ada-${index}` },
        }
      }),
    )
    const answers = await Promise.all(people.map(({ visitor, page, fields }) => visitor.submit(page, fields)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([303, ...Array(19).fill(403)])
    const { db } = latchkey.app.storage
    expect([
      await db.user.count(),
      await db.user.count({ where: { administrator: true } }),
      await db.password.count(),
    ]).toEqual([1, 1, 1])
    expect((await people[0]?.visitor.get(link))?.location).toBe(`${latchkey.issuer}/`)
  })

  it.each([
    [
      'en',
      'Enter an e-mail address',
      'at least 8 characters',
      'attackers try first',
      'contains your name or address',
    ],
    [
      'de',
      'Geben Sie eine E-Mail-Adresse',
      'mindestens 8 Zeichen',
      'zuerst probiert werden',
      'enthält Ihren Namen oder Ihre Adresse',
    ],
  ])(
    'says beside each field what is wrong with it, in %s',
    async (language, email, short, common, personal) => {
      await using latchkey = await startLatchkey()
      const link = await linkOf(latchkey)
      const visitor = newVisitor()
      const page = await visitor.get(link)
      const submit = async (fields: Readonly<Record<string, string>>) => {
        const answer = await visitor.submit(
          page,
          { ...filled, ...fields },
          { headers: { 'accept-language': language } },
        )
        return {
          ...answer,
          errors: Object.fromEntries(
            [...answer.text.matchAll(/id="(\w+)-error"[^>]*>([^<]+)</g)].map(([, field, words]) => [
              field,
              words,
            ]),
          ),
        }
      }
      const wrong = await submit({ email: 'ada@example', username: '' })
      expect([wrong.status, wrong.errors]).toEqual([400, { email: expect.stringContaining(email) }])
      expect(wrong.text).toContain(`<html lang="${language}"`)
      expect(wrong.text).toContain('value="ada@example"')
      expect(wrong.text).toContain('value="Ada Lovelace"')
      expect(wrong.text).not.toContain(filled.password)
      expect((await submit({ password: 'short' })).errors).toEqual({
        password: expect.stringContaining(short),
      })
      expect((await submit({ password: 'password123' })).errors).toEqual({
        password: expect.stringContaining(common),
      })
      expect((await submit({ password: 'Ada Lovelace' })).errors).toEqual({
        password: expect.stringContaining(personal),
      })
      expect(Object.keys((await submit({ username: 'ada lovelace' })).errors)).toEqual(['username'])
      expect(Object.keys((await submit({ email: '', username: '' })).errors)).toEqual(['email'])
      expect(Object.keys((await submit({ name: 'A'.repeat(300) })).errors)).toEqual(['name'])
      expect(Object.keys((await submit({ password: '' })).errors)).toEqual(['password'])
      await latchkey.createUser({ email: 'taken@example.test', password: filled.password })
      const taken = await submit({ email: 'TAKEN@example.test' })
      expect([taken.status, Object.keys(taken.errors)]).toEqual([409, ['email']])
      // None of this has used the link up.
      expect((await submit({})).status).toBe(303)
    },
  )
})
