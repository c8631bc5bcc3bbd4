import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ada, type FrontDoor, interactionPath, openFrontDoor } from '../support/front-door.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const isCallback = /^http:\/\/localhost:9999\/callback\?.*code=/
const codes = {
  LATCHKEY_EMAIL_CODES_USE: 'first',
  LATCHKEY_EMAIL_CODES_AGAIN_SECONDS: '1',
  LATCHKEY_MAIL_ACCOUNT_PER_HOUR: '1000',
  LATCHKEY_MAIL_ADDRESS_PER_HOUR: '1000',
  LATCHKEY_THROTTLE_ADDRESS_FAILURES: '10000',
  LATCHKEY_THROTTLE_ACCOUNT_FAILURES: '1000',
}

const csrfOf = ({ text }: Page): string => /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? ''

describe('signing in with a code by e-mail', () => {
  let door: FrontDoor
  let email = ada.email
  let count = 0
  beforeAll(async () => {
    door = await openFrontDoor({ environment: codes })
  })
  afterAll(() => door[Symbol.asyncDispose]())
  beforeEach(async () => {
    count += 1
    email = `ada${count}@example.test`
    const { users } = door.latchkey.app.features.users
    const actor = { kind: 'command-line' } as const
    await users.create({ email, emailVerified: true, name: 'Ada' }, { actor })
  })

  const ask = async (visitor: Visitor, identifier = email) => {
    const form = await door.begin(visitor)
    const fields = { _csrf: csrfOf(form), identifier, password: '', keep_asked: 'yes' }
    const asked = await visitor.post(
      `${door.latchkey.issuer}${interactionPath(form)}/email-code/start`,
      fields,
    )
    return { asked, shown: await visitor.follow(asked) }
  }
  const mailed = async (to = email) => {
    const mail = (await door.latchkey.mails()).filter((each) => each.to === to).at(-1)
    return { code: mail?.code ?? '', link: mail?.link ?? '' }
  }
  const answer = (visitor: Visitor, shown: Page, fields: Readonly<Record<string, string>>) =>
    visitor.submit(shown, fields, { action: '/email-code' })

  it('leads to the application, as the person who was mailed', async () => {
    const visitor = newVisitor()
    const { shown } = await ask(visitor)
    const { code } = await mailed()
    const wrong = await answer(visitor, shown, { code: '0000 0000' })
    expect(wrong.status).toBe(401)
    expect(wrong.text).toContain('aria-invalid="true"')
    expect(wrong.text).toContain('This is not the code we sent last.')
    expect(wrong.text).not.toContain('value="0000 0000"')
    const done = await visitor.follow(await answer(visitor, wrong, { code }))
    expect(done.location).toMatch(isCallback)
    const signedIn = await door.latchkey.app.storage.db.auditEvent.findFirst({
      where: { action: 'login.signed_in' },
      orderBy: { at: 'desc' },
    })
    expect(signedIn?.detail).toContain('"otp"')
  })

  it('shows an unknown account exactly what a known one sees', async () => {
    const pages = async (identifier: string) => {
      const visitor = newVisitor()
      const { asked, shown } = await ask(visitor, identifier)
      const wrong = await answer(visitor, shown, { code: '0000 0000' })
      const empty = await answer(visitor, shown, { code: '' })
      const used = [asked, shown, wrong, empty].map(({ status, text, headers, location }) => ({
        status,
        text: masked(text, identifier),
        location: location?.replace(/interaction\/[\w-]+/, 'interaction/…'),
        cookies: headers.getSetCookie().map((cookie) => cookie.replace(/=[^;]*/, '')),
        headers: [...headers.keys()].filter((name) => name !== 'date').toSorted(),
      }))
      return { used, cookies: visitor.cookies.map(({ name }) => name).toSorted() }
    }
    const known = await pages(email)
    for (const identifier of ['nobody@example.test', 'nobody']) expect(await pages(identifier)).toEqual(known)
    expect(known.used.map(({ status }) => status)).toEqual([303, 200, 401, 400])
  })

  const masked = (text: string, identifier: string): string =>
    text
      .replaceAll(identifier, '…')
      .replace(/interaction\/[\w-]+/g, 'interaction/…')
      .replace(/(nonce|value)="[^"]{20,}"/g, '$1="…"')

  it('says what is missing where nobody is named', async () => {
    const visitor = newVisitor()
    const { asked } = await ask(visitor, '')
    expect(asked.status).toBe(400)
    expect(asked.text).toContain('so that we know whom to send the code to')
  })

  it('tells how long to wait for another code, and still takes the one before', async () => {
    await using slow = await openFrontDoor({
      environment: { ...codes, LATCHKEY_EMAIL_CODES_AGAIN_SECONDS: '60' },
    })
    const visitor = newVisitor()
    const form = await slow.begin(visitor)
    const start = `${slow.latchkey.issuer}${interactionPath(form)}/email-code/start`
    await visitor.post(start, { _csrf: csrfOf(form), identifier: ada.email })
    const early = await visitor.post(start, { _csrf: csrfOf(form) })
    expect(early.status).toBe(429)
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(50)
    expect(early.text).toMatch(/another one sent in \d+ seconds/)
    const [mail] = await slow.latchkey.mails()
    const done = await visitor.follow(await answer(visitor, early, { code: mail?.code ?? '' }))
    expect(done.location).toMatch(isCallback)
  })

  it('is refused in another browser, with the right code and with the token of the link', async () => {
    const visitor = newVisitor()
    const { shown } = await ask(visitor)
    const { code, link } = await mailed()
    const stranger = newVisitor()
    const own = await door.begin(stranger)
    const token = new URL(link).searchParams.get('token') ?? ''
    for (const proof of [{ code }, { token }] as readonly Readonly<Record<string, string>>[]) {
      const refused = await stranger.post(shown.url, { _csrf: csrfOf(own), ...proof })
      expect([refused.status, refused.location]).toEqual([403, undefined])
      // Nor does it help in the stranger's own sign-in.
      const other = await stranger.post(`${own.url}/email-code`, { _csrf: csrfOf(own), ...proof })
      expect([other.status, other.location]).toEqual([410, undefined])
    }
    expect((await visitor.follow(await answer(visitor, shown, { code }))).location).toMatch(isCallback)
  })

  it('is not done by another form, nor by one without its token', async () => {
    const visitor = newVisitor()
    const { shown } = await ask(visitor)
    const { code } = await mailed()
    const forged = [
      await visitor.post(shown.url, { code }),
      await visitor.post(shown.url, { _csrf: csrfOf(shown), code }, { origin: 'https://evil.example' }),
    ]
    expect(forged.map(({ status }) => status)).toEqual([403, 403])
  })

  it('works once in two tabs, and the other one leads on', async () => {
    const visitor = newVisitor()
    const { shown } = await ask(visitor)
    const { code } = await mailed()
    const other = visitor.clone()
    const done = await visitor.follow(await answer(visitor, shown, { code }))
    expect(done.location).toMatch(isCallback)
    const late = await other.follow(await answer(other, shown, { code }))
    expect(late.location ?? '').not.toMatch(isCallback)
    expect(late.status).toBeLessThan(500)
    expect((await visitor.get(shown.url)).text).toContain('You are already signed in')
  })

  describe('by the link', () => {
    it('goes on in the browser where it was begun, with one press of a button', async () => {
      const visitor = newVisitor()
      await ask(visitor)
      const { code, link } = await mailed()
      const opened = await visitor.get(link)
      expect(opened.status).toBe(200)
      expect(opened.text).toContain('Continue signing in')
      expect(opened.text).not.toContain(code)
      const within = await visitor.follow(await visitor.submit(opened, {}, { action: '/link/email-code' }))
      expect(within.text).toContain('data-goes-on')
      const done = await visitor.follow(await answer(visitor, within, {}))
      expect(done.location).toMatch(isCallback)
      const again = await visitor.get(link)
      expect(again.status).toBe(410)
      expect(again.text).toContain('This link no longer works')
    })

    it('shows the code in another browser and signs nobody in there', async () => {
      const visitor = newVisitor()
      const { shown } = await ask(visitor)
      const { code, link } = await mailed()
      const stranger = newVisitor()
      await door.begin(stranger)
      const before = stranger.cookies.map(({ name }) => name)
      const opened = await stranger.get(link)
      expect(opened.text).toContain(code)
      expect(opened.text).toContain('give the code to nobody')
      expect(opened.text).toContain('Shop')
      expect(opened.text).not.toContain(interactionPath(shown))
      const posted = await stranger.submit(opened, {}, { action: '/link/email-code' })
      expect([posted.status, posted.location]).toEqual([200, undefined])
      expect(posted.text).toContain(code)
      expect(stranger.cookies.map(({ name }) => name)).toEqual(before)
      expect((await visitor.get(shown.url)).text).not.toContain('data-goes-on')
      expect((await visitor.follow(await answer(visitor, shown, { code }))).location).toMatch(isCallback)
    })

    it('is not changed by scanners that open it, in whichever way', async () => {
      const visitor = newVisitor()
      const { shown } = await ask(visitor)
      const { code, link } = await mailed()
      for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'OPTIONS']) await fetch(link, { method })
      expect((await fetch(link, { method: 'POST' })).status).toBeGreaterThanOrEqual(400)
      expect((await visitor.follow(await answer(visitor, shown, { code }))).location).toMatch(isCallback)
    })

    it.each(['', 'x', 'a'.repeat(43), '%00', '../..', 'a'.repeat(5_000)])(
      'that is made up (%s) says so',
      async (token) => {
        const page = await newVisitor().get(`${door.latchkey.issuer}/link/email-code?token=${token}`)
        expect(page.status).toBeGreaterThanOrEqual(400)
        expect(page.status).toBeLessThan(500)
      },
    )
  })
})

describe('a code by e-mail as the second proof', () => {
  it('is asked for after the password, and sent when it is asked for', async () => {
    await using door = await openFrontDoor({ environment: { ...codes, LATCHKEY_EMAIL_CODES_USE: 'second' } })
    const { users } = door.latchkey.app.features.users
    await users.update(door.adaId, { emailVerified: true }, { actor: { kind: 'command-line' } })
    const visitor = newVisitor()
    const begun = await door.begin(visitor)
    expect(begun.text).not.toContain('email-code')
    const second = await door.signIn(visitor)
    expect(second.status).toBe(200)
    expect(await door.latchkey.mails()).toEqual([])
    const shown = await visitor.follow(await visitor.submit(second, {}, { action: '/email-code/start' }))
    expect(shown.text).toContain('a•••@example.test')
    const [mail] = await door.latchkey.mails()
    const done = await visitor.follow(
      await visitor.submit(shown, { code: mail?.code ?? '' }, { action: '/email-code' }),
    )
    expect(done.location).toMatch(isCallback)
  })
})
