import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  answered,
  callbackUrl,
  isConsent,
  isSignIn,
  type RelyingParty,
  relyingParty,
  walkThrough,
} from '../support/relying-party.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob Builder', password: 'a builder of castles 7' }
const api = 'https://orders.example.test'

describe('consent', () => {
  let latchkey: RunningLatchkey
  let adaId: string
  let bobId: string

  beforeAll(async () => {
    latchkey = await startLatchkey()
    adaId = await latchkey.createUser(ada)
    bobId = await latchkey.createUser(bob)
    const scopes = [
      { name: 'orders:read', description: 'Read your orders' },
      { name: 'orders:write', description: 'Change your <orders>' },
    ]
    await latchkey.createApi({ indicator: api, name: 'Order Book', scopes })
  })
  afterAll(() => latchkey.close())

  /** Each test has an application of its own, as consents are remembered. */
  const guest = (input: Readonly<Record<string, unknown>> = {}): Promise<RelyingParty> => {
    const scopes = ['openid', 'profile', 'email', 'offline_access', 'orders:read', 'orders:write']
    return relyingParty(latchkey, { name: 'Guest & Sons', scopes, ...input })
  }
  const ask = async (
    party: RelyingParty,
    visitor: Visitor,
    parameters: Readonly<Record<string, string>> = {},
  ) => {
    const request = await party.request(parameters)
    return { request, page: await visitor.follow(await visitor.get(request.url)) }
  }
  /** Past the sign-in form, by a browser that is new. */
  const afterSignIn = async (
    party: RelyingParty,
    person: typeof ada,
    parameters: Readonly<Record<string, string>> = {},
  ) => {
    const visitor = newVisitor()
    const { request, page } = await ask(party, visitor, parameters)
    const next = await visitor.follow(
      await visitor.submit(
        page,
        { identifier: person.email, password: person.password },
        { action: '/password' },
      ),
    )
    return { visitor, request, page: next }
  }
  const allow = async (visitor: Visitor, page: Page): Promise<Page> =>
    await visitor.follow(await visitor.submit(page, {}, { action: '/consent' }))

  it('names the application, the person and what is asked, and gives exactly that', async () => {
    const party = await guest()
    const { visitor, request, page } = await afterSignIn(party, ada)
    expect(isConsent(page)).toBe(true)
    expect(page.text).toContain('Allow Guest &amp; Sons to use your account?')
    for (const text of [
      ada.name,
      ada.email,
      'Recognise you',
      'See your name and profile',
      'See your e-mail address',
    ])
      expect(page.text).toContain(text)
    expect(page.text).not.toContain('while you are away')
    const tokens = await party.redeem(request, (await allow(visitor, page)).location)
    expect(tokens.scope?.split(' ').toSorted()).toEqual(['email', 'openid', 'profile'])
  })

  it('is not asked of a first-party application', async () => {
    const party = await guest({ name: 'Ours', firstParty: true })
    const { request, page } = await afterSignIn(party, ada)
    expect((await party.redeem(request, page.location)).claims()?.sub).toBe(adaId)
  })

  it('is remembered for the person and the application, in every browser and session', async () => {
    const party = await guest()
    await party.signIn(newVisitor(), ada)
    const again = await afterSignIn(party, ada)
    expect((await party.redeem(again.request, again.page.location)).claims()?.sub).toBe(adaId)
    expect(isConsent((await afterSignIn(party, bob)).page)).toBe(true)
    expect(isConsent((await afterSignIn(await guest(), ada)).page)).toBe(true)
  })

  it('is asked again when more is requested, and then only for that', async () => {
    const party = await guest()
    await party.signIn(newVisitor(), ada, { scope: 'openid profile' })
    const { visitor, request, page } = await afterSignIn(party, ada, { scope: 'openid profile email' })
    expect(page.text).toContain('Guest &amp; Sons asks for more access')
    expect(page.text).toContain('See your e-mail address')
    expect(page.text).not.toContain('See your name and profile')
    const tokens = await party.redeem(request, (await allow(visitor, page)).location)
    expect(tokens.scope?.split(' ').toSorted()).toEqual(['email', 'openid', 'profile'])
    for (const scope of ['openid profile email', 'openid email', 'openid']) {
      expect(answered((await afterSignIn(party, ada, { scope })).page.location).code).toBeDefined()
    }
  })

  it('gives a later request no more than that request asks for', async () => {
    const party = await guest()
    await party.signIn(newVisitor(), ada)
    const tokens = await party.signIn(newVisitor(), ada, { scope: 'openid' })
    expect(tokens.scope).toBe('openid')
    const me = await fetch(`${latchkey.issuer}/me`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(await me.json()).toEqual({ sub: adaId })
  })

  it('that is refused is access_denied at the application, with its state, and is not remembered', async () => {
    const party = await guest()
    const { visitor, request, page } = await afterSignIn(party, ada)
    const answer = await visitor.submit(page, {}, { action: '/abort' })
    expect(answer.status).toBe(303)
    const back = await visitor.follow(answer)
    expect(back.location?.startsWith(`${callbackUrl}?`)).toBe(true)
    expect(answered(back.location)).toMatchObject({
      error: 'access_denied',
      state: request.state,
      iss: latchkey.issuer,
    })
    expect(isConsent((await ask(party, visitor)).page)).toBe(true)
  })

  it('shows the scopes of an API in its own words, and gives a token for that API', async () => {
    const party = await guest()
    const wanted = { scope: 'openid orders:read orders:write', resource: api }
    const { visitor, request, page } = await afterSignIn(party, ada, wanted)
    for (const text of ['At Order Book', 'Read your orders', 'Change your &lt;orders&gt;'])
      expect(page.text).toContain(text)
    await party.redeem(request, (await allow(visitor, page)).location)
    const again = await afterSignIn(party, ada, wanted)
    expect(answered(again.page.location).code).toBeDefined()
  })

  it('of an API scope added later asks for that scope alone', async () => {
    const party = await guest()
    await party.signIn(newVisitor(), ada, { scope: 'openid orders:read', resource: api })
    const { page } = await afterSignIn(party, ada, {
      scope: 'openid orders:read orders:write',
      resource: api,
    })
    expect(page.text).toContain('Change your &lt;orders&gt;')
    expect(page.text).not.toContain('Read your orders')
  })

  it('for offline access says so and for how long, and gives a refresh token', async () => {
    const party = await guest()
    const { visitor, request, page } = await afterSignIn(party, ada, {
      scope: 'openid offline_access',
      prompt: 'consent',
    })
    expect(page.text).toContain('can use this access while you are away, for 90 days')
    const tokens = await party.redeem(request, (await allow(visitor, page)).location)
    expect(tokens.refresh_token).toBeDefined()
    const online = await party.signIn(newVisitor(), ada, { scope: 'openid' })
    expect(online.refresh_token).toBeUndefined()
  })

  it('is asked anew and in full by prompt=consent, whatever was allowed before', async () => {
    const party = await guest()
    await party.signIn(newVisitor(), ada)
    const { visitor, request, page } = await afterSignIn(party, ada, { prompt: 'consent' })
    expect(page.text).toContain('Allow Guest &amp; Sons to use your account?')
    expect(page.text).toContain('See your name and profile')
    await party.redeem(request, (await allow(visitor, page)).location)
    const second = await ask(party, visitor, { prompt: 'consent' })
    expect(second.page.text).toContain('See your name and profile')
  })

  it('is asked of a native application at every sign-in, in full, as another program could pose as it', async () => {
    const party = await guest({ kind: 'native', redirectUris: ['com.example.guest:/callback'] })
    await party.signIn(newVisitor(), ada)
    const { page } = await afterSignIn(party, ada)
    expect(page.text).toContain('Allow Guest &amp; Sons to use your account?')
    expect(page.text).toContain('See your e-mail address')
  })

  it('can be left for another account, and then is that account’s own', async () => {
    const party = await guest()
    const { visitor, request, page } = await afterSignIn(party, ada)
    const other = await visitor.follow(await visitor.submit(page, {}, { action: '/switch' }))
    expect(isSignIn(other)).toBe(true)
    expect(other.text).toContain('name="identifier"')
    const leaving = await visitor.follow(
      await visitor.submit(
        other,
        { identifier: bob.email, password: bob.password },
        { action: '/other/password' },
      ),
    )
    // Ada's session ends first: a form that a script sends, whose redirects end at the application if there is nothing to ask.
    expect(leaving.headers.get('content-security-policy')).toContain(
      "form-action 'self' http://localhost:9999;",
    )
    const asked = await visitor.follow(await visitor.submit(leaving, {}, { action: '/session/end/confirm' }))
    expect(asked.text).toContain(bob.email)
    expect(asked.text).not.toContain(ada.email)
    const tokens = await party.redeem(request, (await allow(visitor, asked)).location)
    expect(tokens.claims()?.sub).toBe(bobId)
    expect(isConsent((await afterSignIn(party, ada)).page)).toBe(true)
    expect(answered((await afterSignIn(party, bob)).page.location).code).toBeDefined()
  })

  it('needs the form of this browser: without its token, from elsewhere or by a stranger nothing is allowed', async () => {
    const party = await guest()
    const { visitor, page } = await afterSignIn(party, ada)
    expect((await visitor.submit(page, { _csrf: 'forged' }, { action: '/consent' })).status).toBe(403)
    expect(
      (await visitor.submit(page, {}, { action: '/consent', headers: { origin: 'https://evil.test' } }))
        .status,
    ).toBe(403)
    expect((await newVisitor().submit(page, {}, { action: '/consent' })).status).toBeGreaterThanOrEqual(400)
    expect(isConsent((await afterSignIn(party, ada)).page)).toBe(true)
  })

  it('cannot be given where a sign-in is what the request waits for', async () => {
    const party = await guest()
    const visitor = newVisitor()
    const { page } = await ask(party, visitor)
    const answer = await visitor.submit(
      { ...page, text: page.text.replaceAll('/password"', '/consent"') },
      {},
      { action: '/consent' },
    )
    expect(answer.status).toBe(400)
    expect(await walkThrough(visitor, page.url, ada)).toContain('code=')
  })
})
