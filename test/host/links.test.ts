import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { movableClock } from '../support/clock.ts'
import { ada, type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { newVisitor } from '../support/visitor.ts'

describe('a mailed link', () => {
  let door: FrontDoor
  let issuer: string
  const clock = movableClock()
  beforeAll(async () => {
    door = await openFrontDoor({ clock })
    issuer = door.latchkey.issuer
  })
  afterAll(() => door[Symbol.asyncDispose]())

  const isConfirmed = async () => (await door.latchkey.app.features.users.users.get(door.adaId)).emailVerified

  /** The link by which Ada confirms her address; the address is unconfirmed again. */
  async function linkOf(): Promise<string> {
    const { users } = door.latchkey.app.features.users
    await users.update(door.adaId, { emailVerified: false }, { actor: { kind: 'system' } })
    clock.advance(3_600)
    const visitor = await door.signedIn()
    const asked = await visitor.submit(
      await visitor.get(`${issuer}/account`),
      {},
      { action: '/address/verify' },
    )
    expect(asked.status).toBe(303)
    const mail = (await door.latchkey.mails())
      .filter(({ to, link }) => to === ada.email && link !== '')
      .at(-1)
    return mail?.link ?? ''
  }

  it('changes nothing when it is opened, and does what it says when its form is sent, once', async () => {
    const link = await linkOf()
    const anybody = newVisitor()
    for (let times = 0; times < 3; times += 1) expect((await anybody.get(link)).status).toBe(200)
    const page = await anybody.get(link)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    expect(await isConfirmed()).toBe(false)
    const done = await anybody.submit(page, {}, { action: '/link/address' })
    expect([done.status, await isConfirmed()]).toEqual([200, true])
    const again = await anybody.submit(page, {}, { action: '/link/address' })
    expect(again.status).toBeGreaterThanOrEqual(400)
    expect(again.text).toContain('This link cannot be used')
  })

  it('works once, however many send its form at the same time', async () => {
    const link = await linkOf()
    const senders = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const visitor = newVisitor()
        return { visitor, page: await visitor.get(link) }
      }),
    )
    const answers = await Promise.all(senders.map(({ visitor, page }) => visitor.submit(page)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status >= 500)).toHaveLength(0)
  })

  it('that is of no use says so, and leads on', async () => {
    const page = await newVisitor().get(`${issuer}/link/address?token=${'A'.repeat(43)}`)
    expect([page.status >= 400 && page.status < 500, page.headers.get('cache-control')]).toEqual([
      true,
      'no-store',
    ])
    expect(page.text).toContain('This link cannot be used')
    expect(page.text).toContain('href="/"')
  })

  it('is not sent by a form from elsewhere', async () => {
    const link = await linkOf()
    const token = new URL(link).searchParams.get('token') ?? ''
    const visitor = newVisitor()
    const page = await visitor.get(link)
    const forged = [
      await visitor.post(`${issuer}/link/address`, { token }),
      await visitor.submit(
        page,
        {},
        { action: '/link/address', headers: { origin: 'https://evil.example' } },
      ),
      await visitor.submit(page, { _csrf: 'x' }, { action: '/link/address' }),
      await newVisitor().submit(page, {}, { action: '/link/address' }),
    ]
    expect(forged.map(({ status }) => status)).toEqual([403, 403, 403, 403])
    expect(await isConfirmed()).toBe(false)
  })

  it('that is malformed is refused, opened and sent', async () => {
    const visitor = newVisitor()
    const page = await visitor.get(await linkOf())
    const queries = [
      '',
      'token=',
      'token=a&token=b',
      'token=%00',
      'token=a%20b',
      `token=${'a'.repeat(513)}`,
      'token[]=a',
    ]
    for (const query of queries)
      expect([query, (await visitor.get(`${issuer}/link/address?${query}`)).status]).toEqual([query, 400])
    for (const token of ['', '\0', 'a b', 'a'.repeat(513), '../x'])
      expect((await visitor.submit(page, { token }, { action: '/link/address' })).status).toBe(400)
    const { _csrf = '' } = { _csrf: /name="_csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '' }
    const twice = await fetch(`${issuer}/link/address`, {
      method: 'POST',
      body: `_csrf=${_csrf}&token=a&token=b`,
      headers: {
        origin: issuer,
        'content-type': 'application/x-www-form-urlencoded',
        cookie: visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
    })
    expect(twice.status).toBe(400)
    expect((await visitor.get(`${issuer}/link/nothing?token=a`)).status).toBe(404)
    expect((await visitor.get(`${issuer}/link/constructor?token=a`)).status).toBe(404)
  })

  it('does not reach the log with its token', async () => {
    const link = await linkOf()
    const token = new URL(link).searchParams.get('token') ?? ''
    const visitor = newVisitor()
    await visitor.submit(await visitor.get(link))
    await visitor.get(`${link}%00`)
    const lines = door.latchkey.logged.filter((line) => line.includes('/link/address'))
    expect(lines.length).toBeGreaterThan(0)
    expect(door.latchkey.logged.filter((line) => line.includes(token))).toEqual([])
  })
})
