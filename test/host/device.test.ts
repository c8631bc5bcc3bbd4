import { describe, expect, it } from 'vitest'
import { approve, deny, enterCode, registerDevice, toApproval, typeCode } from '../support/devices.ts'
import { ada, grace } from '../support/front-door.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { formsOf, newVisitor, type Page } from '../support/visitor.ts'
import { exchange } from '../support/wire.ts'

const actionsOf = (page: Page): readonly string[] =>
  formsOf(page).map(({ action }) => new URL(action).pathname)

/** What requests have stored; a job notes the limits of sessions beside it. */
const artefacts = ({ app }: RunningLatchkey): Promise<number> =>
  app.storage.db.artefact.count({ where: { model: { not: 'SessionLimits' } } })

describe('the page for a code', () => {
  it('is made without a session and stores nothing, and its policy lets nothing in', async () => {
    await using latchkey = await startLatchkey()
    const before = await artefacts(latchkey)
    const visitor = newVisitor()
    const page = await visitor.get(`${latchkey.issuer}/device`)
    expect(page.status).toBe(200)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('content-security-policy')).toContain(`frame-ancestors 'none'`)
    expect(page.text).toMatch(/<input class="device-code"[^>]* autofocus/)
    expect(visitor.cookies.map(({ name }) => name)).toEqual(['latchkey_csrf'])
    expect(await artefacts(latchkey)).toBe(before)
  })

  it('that a link brought shows the code to be compared, and tells nobody whether it is one', async () => {
    await using latchkey = await startLatchkey()
    const tv = await registerDevice(latchkey)
    const { user_code } = await tv.begin()
    const shown = async (code: string) =>
      (await newVisitor().get(`${latchkey.issuer}/device?${new URLSearchParams({ user_code: code })}`)).text
    const nonces = /nonce="[^"]*"|value="[\w-]{43}"/g
    const [real, none] = [await shown(user_code.toLowerCase()), await shown('BBBB-BBBB')]
    expect(real).toContain('Does your device show this code?')
    expect(real.replaceAll(user_code, 'CODE').replaceAll(nonces, '')).toBe(
      none.replaceAll('BBBB-BBBB', 'CODE').replaceAll(nonces, ''),
    )
    expect(await shown('"><script>alert(1)</script>')).not.toContain('<script>alert')
    expect(await shown('BBBB')).toContain('There is no such code')
  })

  it('refuses NUL, two codes, another content type and an empty form', async () => {
    await using latchkey = await startLatchkey()
    const { issuer, server } = latchkey
    const visitor = newVisitor()
    expect((await typeCode(visitor, latchkey, '')).text).toContain('Type the code that your device shows')
    expect((await visitor.get(`${issuer}/device?user_code=%00`)).status).toBe(400)
    expect((await visitor.post(`${issuer}/device`, { user_code: '\0' })).status).toBe(400)
    const page = await visitor.get(`${issuer}/device`)
    const xsrf = formsOf(page)[0]?.fields.xsrf ?? ''
    const cookie = visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const twice = await exchange(server.port, {
      method: 'POST',
      target: '/device',
      host: new URL(issuer).host,
      headers: [
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ['Origin', issuer],
        ['Cookie', cookie],
      ],
      body: `xsrf=${xsrf}&user_code=BBBB-BBBB&user_code=CCCC-CCCC`,
    })
    expect(twice.status).toBe(400)
    const json = await visitor.post(`${issuer}/device`, {}, { 'content-type': 'application/json' })
    expect(json.status).toBe(400)
  })

  it('goes on when it is sent twice, from two tabs, or a second time by the back button', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    const visitor = newVisitor()
    const first = await visitor.get(asked.verification_uri_complete)
    const second = await visitor.get(`${latchkey.issuer}/device`)
    await visitor.submit(first, {}, { action: '/device' })
    await visitor.follow(await visitor.submit(first, {}, { action: '/device' }))
    const page = await visitor.follow(
      await visitor.submit(second, { user_code: asked.user_code }, { action: '/device' }),
    )
    expect(page.text).toContain('Password')
    const approval = await visitor.follow(
      await visitor.submit(page, { identifier: ada.email, password: ada.password }, { action: '/password' }),
    )
    const done = await visitor.follow(await visitor.submit(approval, {}, { action: '/consent' }))
    expect(done.text).toContain('Your device is connected')
    expect((await tv.poll(asked)).status).toBe(200)
  })
})

describe('the page that approves a device', () => {
  it('comes for our own applications too and for who is signed in, and says what asks from where', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey, { firstParty: true })
    const visitor = newVisitor()
    const headers = { 'user-agent': 'Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) SamsungBrowser/4.0' }
    for (const _time of ['signs in', 'is signed in']) {
      const asked = await tv.begin({ scope: 'openid profile' }, { headers })
      const page = await toApproval(visitor, asked, ada)
      expect(page.text).toContain(asked.user_code)
      expect(page.text).toContain('Television')
      expect(page.text).toContain('Part of ')
      expect(page.text).toContain('Samsung')
      expect(page.text).toMatch(/127\.0\.0\.1|::1/)
      expect(page.text).toContain('If you did not start this yourself')
      expect((await tv.poll(asked)).body.error).toBe('authorization_pending')
      const done = await visitor.follow(await visitor.submit(page, {}, { action: '/consent' }))
      expect(done.text).toContain('Your device is connected')
    }
  })

  it('is not reached by a form from elsewhere, nor with the token of another browser', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    const visitor = newVisitor()
    await approve(visitor, await tv.begin(), ada)
    const page = await visitor.get(asked.verification_uri_complete)
    const { fields = {} } = formsOf(page)[0] ?? {}
    const foreign = { origin: 'https://evil.test' }
    expect((await visitor.post(`${latchkey.issuer}/device`, fields, foreign)).status).toBe(403)
    const other = newVisitor()
    const stolen = formsOf(await other.get(asked.verification_uri_complete))[0]?.fields ?? {}
    const forged = await visitor.post(`${latchkey.issuer}/device`, stolen)
    expect(forged.status).toBe(400)
    expect(forged.text).toContain('Press the button once more')
    const missing = await visitor.post(`${latchkey.issuer}/device`, {
      user_code: asked.user_code,
      confirm: 'yes',
    })
    expect(missing.status).toBe(400)
    const aborted = await visitor.post(`${latchkey.issuer}/device`, {
      user_code: asked.user_code,
      abort: 'yes',
    })
    expect(aborted.status).toBe(400)
    expect((await tv.poll(asked)).body.error).toBe('authorization_pending')
  })

  it('is nothing to another person, whose session cannot answer it', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    await latchkey.createUser(grace)
    const tv = await registerDevice(latchkey)
    const [adas, graces] = [newVisitor(), newVisitor()]
    await approve(graces, await tv.begin(), grace)
    const asked = await tv.begin()
    const page = await toApproval(adas, asked, ada)
    const form = formsOf(page).find(({ action }) => action.endsWith('/consent'))
    const forged = await graces.post(form?.action ?? '', form?.fields ?? {})
    expect(forged.status).toBe(403)
    const own = formsOf(await graces.get(`${latchkey.issuer}/device`))[0]?.fields.xsrf ?? ''
    const foreign = await graces.post(form?.action ?? '', { _csrf: own })
    expect(foreign.status).toBe(403)
    expect((await tv.poll(asked)).body.error).toBe('authorization_pending')
    const uid = new URL(form?.action ?? '').pathname.split('/')[2]
    const resumed = await graces.follow(await graces.get(`${latchkey.issuer}/device/${uid}`))
    expect(resumed.status).toBe(400)
    expect((await tv.poll(asked)).body.error).toBe('slow_down')
  })

  it('lets the first of two who have typed the code decide', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    await latchkey.createUser(grace)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    const [adas, graces] = [newVisitor(), newVisitor()]
    const first = await toApproval(adas, asked, ada)
    const second = await toApproval(graces, asked, grace)
    expect(actionsOf(second).some((action) => action.endsWith('/consent'))).toBe(true)
    const denied = await graces.follow(await graces.submit(second, {}, { action: '/abort' }))
    expect(denied.text).toContain('The device was not connected')
    const late = await adas.follow(await adas.submit(first, {}, { action: '/consent' }))
    expect(late.text).toContain('This code was used already')
    expect((await tv.poll(asked)).body.error).toBe('access_denied')
  })

  it('gives one answer where twenty approve and deny at once', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey, { firstParty: true })
    const asked = await tv.begin()
    const signedIn = newVisitor()
    await approve(signedIn, await tv.begin(), ada)
    const answers = []
    for (let index = 0; index < 20; index += 1) {
      const browser = signedIn.clone()
      const page = await enterCode(browser, asked)
      answers.push({ browser, page, action: index % 2 === 0 ? '/consent' : '/abort' })
    }
    const pages = await Promise.all(
      answers.map(async ({ browser, page, action }) =>
        browser.follow(await browser.submit(page, {}, { action })),
      ),
    )
    const approved = pages.filter(({ text }) => text.includes('Your device is connected'))
    const denied = pages.filter(({ text }) => text.includes('The device was not connected'))
    expect(approved.length + denied.length).toBe(1)
    const { status, body } = await tv.poll(asked)
    expect(approved.length === 1 ? status : body.error).toBe(approved.length === 1 ? 200 : 'access_denied')
  })

  it('is audited with the person, the application and the device', async () => {
    await using latchkey = await startLatchkey()
    const userId = await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const visitor = newVisitor()
    await approve(visitor, await tv.begin({}, { headers: { 'user-agent': 'tv/1' } }), ada)
    await deny(visitor, await tv.begin({}, { headers: { 'user-agent': 'tv/2' } }), ada)
    const events = await latchkey.app.storage.db.auditEvent.findMany({
      where: { action: { startsWith: 'devices.' } },
      orderBy: { at: 'asc' },
    })
    expect(events).toMatchObject([
      { action: 'devices.approved', outcome: 'success', userId, clientId: tv.id },
      { action: 'devices.denied', outcome: 'failure', userId, clientId: tv.id },
    ])
    expect(events.map(({ detail }) => detail)).toEqual([
      expect.stringContaining('tv/1'),
      expect.stringContaining('tv/2'),
    ])
    expect(events.map(({ address }) => address)).toEqual([expect.any(String), expect.any(String)])
  })
})

describe('the picture of a code', () => {
  it('is a QR code of the link, as SVG or PNG, for any page to show', async () => {
    await using latchkey = await startLatchkey()
    const tv = await registerDevice(latchkey)
    const { user_code } = await tv.begin()
    const get = (query: string) => fetch(`${latchkey.issuer}/device/qr?${query}`)
    const svg = await get(`user_code=${user_code}`)
    expect(svg.headers.get('content-type')).toContain('image/svg+xml')
    expect(svg.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    expect(await svg.text()).toMatch(/^<svg/)
    const png = await get(`user_code=${user_code.toLowerCase()}&format=png`)
    expect(png.headers.get('content-type')).toBe('image/png')
    expect(
      Buffer.from(await png.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG')
    expect((await get('user_code=hello')).status).toBe(400)
    expect((await get('')).status).toBe(400)
  })

  it('leaves no code in the log, as no page does', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    await fetch(`${latchkey.issuer}/device/qr?user_code=${asked.user_code}`)
    await approve(newVisitor(), asked, ada)
    await tv.poll(asked)
    const log = latchkey.logged.join('\n')
    for (const secret of [asked.user_code, asked.user_code.replace('-', ''), asked.device_code])
      expect(log).not.toContain(secret)
  })
})
