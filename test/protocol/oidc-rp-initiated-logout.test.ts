/** OpenID Connect RP-Initiated Logout 1.0, and signing out on our own page. */
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { answered, isSignIn, type RelyingParty, relyingParty, type Tokens } from '../support/relying-party.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob', password: 'a builder of castles 7' }
const goodbye = 'http://localhost:9999/goodbye'

describe('logout that an application starts', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let blog: RelyingParty

  beforeAll(async () => {
    latchkey = await startLatchkey()
    for (const person of [ada, bob]) await latchkey.createUser(person)
    shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true, postLogoutRedirectUris: [goodbye] })
    blog = await relyingParty(latchkey, { name: 'Blog', firstParty: true })
  })
  afterAll(async () => {
    vi.useRealTimers()
    await latchkey.close()
  })

  const signedIn = async (person = ada): Promise<{ visitor: Visitor; tokens: Tokens }> => {
    const visitor = newVisitor()
    return { visitor, tokens: await shop.signIn(visitor, person) }
  }
  const end = (visitor: Visitor, parameters: Readonly<Record<string, string>> = {}): Promise<Page> =>
    visitor.get(openid.buildEndSessionUrl(shop.configuration, parameters).href)
  const hinted = (tokens: Tokens): Readonly<Record<string, string>> => ({
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: goodbye,
    state: 'a state',
  })
  const confirm = (visitor: Visitor, page: Page): Promise<Page> =>
    visitor.submit(page, { logout: 'yes' }, { action: '/session/end/confirm' })
  const isSignedIn = async (visitor: Visitor): Promise<boolean> => {
    const page = await visitor.get((await blog.request({ prompt: 'none' })).url)
    return answered(page.location).error !== 'login_required'
  }
  const isAsked = ({ text }: Page): boolean => text.includes('Sign out of Latchkey?')

  it("asks nothing where the ID token is this session's: one button, pressed by itself where scripts run", async () => {
    const { visitor, tokens } = await signedIn()
    const page = await end(visitor, hinted(tokens))
    expect(page.status).toBe(200)
    expect(isAsked(page)).toBe(false)
    expect(formsOf(page)).toHaveLength(1)
    expect(page.text).toContain('data-auto-submit')
    expect(page.text.match(/<button\b[^>]*>/g)).toHaveLength(1)
    expect(page.text).toMatch(/<input[^>]*name="logout" value="yes"/)
    const answer = await confirm(visitor, page)
    expect(answer.status).toBe(303)
    expect(answer.location).toBe(`${goodbye}?state=a+state`)
  })

  it('ends the session for every application, with the tokens that lived by it', async () => {
    const { visitor, tokens } = await signedIn()
    const request = await blog.request()
    const other = await blog.redeem(request, (await visitor.get(request.url)).location)
    const copy = visitor.clone()
    const me = async (token: string): Promise<number> =>
      (await fetch(`${latchkey.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })).status
    expect([await me(tokens.access_token), await me(other.access_token)]).toEqual([200, 200])
    await confirm(visitor, await end(visitor, hinted(tokens)))
    expect(await isSignedIn(visitor)).toBe(false)
    expect(await isSignedIn(copy)).toBe(false)
    expect([await me(tokens.access_token), await me(other.access_token)]).toEqual([401, 401])
    await expect(
      openid.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? ''),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('leaves other browsers of the person and offline access alone', async () => {
    const { visitor, tokens } = await signedIn()
    const { visitor: phone } = await signedIn()
    const request = await blog.request({ scope: 'openid offline_access', prompt: 'consent' })
    const consent = await visitor.follow(await visitor.get(request.url))
    const offline = await blog.redeem(
      request,
      (await visitor.follow(await visitor.submit(consent, {}, { action: '/consent' }))).location,
    )
    await confirm(visitor, await end(visitor, hinted(tokens)))
    expect(await isSignedIn(phone)).toBe(true)
    expect(
      (await openid.refreshTokenGrant(blog.configuration, offline.refresh_token ?? '')).access_token,
    ).toBeDefined()
  })

  it("asks without an ID token, and where it is another session's or another person's", async () => {
    const [{ visitor }, elsewhere, other] = [await signedIn(), await signedIn(), await signedIn(bob)]
    const pages = [
      await end(visitor),
      await end(visitor, { client_id: shop.client.id, post_logout_redirect_uri: goodbye }),
      await end(visitor, hinted(elsewhere.tokens)),
      await end(visitor, hinted(other.tokens)),
    ]
    for (const page of pages) {
      expect(isAsked(page)).toBe(true)
      expect(page.text).toContain(ada.email)
      expect(page.text).not.toContain('data-auto-submit')
      expect(page.text).toContain('Stay signed in')
    }
    expect(await isSignedIn(visitor)).toBe(true)
    const answer = await confirm(visitor, await end(visitor, hinted(elsewhere.tokens)))
    expect(answer.location).toBe(`${goodbye}?state=a+state`)
    expect(await isSignedIn(visitor)).toBe(false)
    expect(await isSignedIn(elsewhere.visitor)).toBe(true)
  })

  it('accepts an ID token of this session that has expired', async () => {
    const { visitor, tokens } = await signedIn()
    vi.setSystemTime(Date.now() + 2 * 3_600_000)
    const page = await end(visitor, hinted(tokens))
    expect(isAsked(page)).toBe(false)
    expect((await confirm(visitor, page)).location).toBe(`${goodbye}?state=a+state`)
  })

  it("'stay signed in' keeps the session and everybody else's access, and ends the application's own", async () => {
    const { visitor, tokens } = await signedIn()
    const request = await blog.request()
    const other = await blog.redeem(request, (await visitor.get(request.url)).location)
    const page = await end(visitor, {
      client_id: shop.client.id,
      post_logout_redirect_uri: goodbye,
      state: 'a state',
    })
    const answer = await visitor.submit(page, {}, { action: '/session/end/confirm' })
    expect(answer.location).toBe(`${goodbye}?state=a+state`)
    expect(await isSignedIn(visitor)).toBe(true)
    expect(
      (await openid.fetchUserInfo(blog.configuration, other.access_token, openid.skipSubjectCheck)).email,
    ).toBe(ada.email)
    await expect(
      openid.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? ''),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it.each([
    ['another path', `${goodbye}/evil`],
    ['another host', 'https://evil.test/goodbye'],
    ['a query', `${goodbye}?next=evil`],
    ['another case', goodbye.replace('goodbye', 'Goodbye')],
    ['a slash', `${goodbye}/`],
    ['userinfo', 'http://localhost:9999@evil.test/goodbye'],
  ])('refuses a post_logout_redirect_uri with %s, on a page of ours', async (_what, uri) => {
    const { visitor, tokens } = await signedIn()
    const page = await end(visitor, { ...hinted(tokens), post_logout_redirect_uri: uri })
    expect([page.status, page.location]).toEqual([400, undefined])
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self';")
    expect(await isSignedIn(visitor)).toBe(true)
  })

  it('goes nowhere else when nobody says which application it was: a page of ours says that it is done', async () => {
    const { visitor } = await signedIn()
    // Without a client and a hint the address is dropped.
    const page = await visitor.get(
      `${latchkey.issuer}/session/end?${new URLSearchParams({ post_logout_redirect_uri: 'https://evil.test/' })}`,
    )
    const answer = await confirm(visitor, page)
    expect(answer.location).toBe(`${latchkey.issuer}/session/end/success`)
    const done = await visitor.follow(answer)
    expect(done.text).toContain('You are signed out')
    expect(await isSignedIn(visitor)).toBe(false)
  })

  it('needs the form of this session', async () => {
    const { visitor, tokens } = await signedIn()
    const page = await end(visitor, hinted(tokens))
    const forged = await visitor.submit(
      page,
      { xsrf: 'forged', logout: 'yes' },
      { action: '/session/end/confirm' },
    )
    expect(forged.status).toBe(400)
    expect(await isSignedIn(visitor)).toBe(true)
  })

  it('leads back to the application although the session is over already', async () => {
    const { visitor, tokens } = await signedIn()
    await confirm(visitor, await end(visitor, hinted(tokens)))
    const page = await end(visitor, hinted(tokens))
    expect(page.status).toBe(200)
    // A browser checks the redirect after a form against the page's policy too.
    expect(page.headers.get('content-security-policy')).toMatch(
      /form-action 'self' http:\/\/localhost:9999(;|$)/,
    )
    const answer = await visitor.submit(page, {}, { action: '/session/end/confirm' })
    expect(answer.location).toBe(`${goodbye}?state=a+state`)
  })

  it('may be asked for by GET and by POST (§2)', async () => {
    const { visitor, tokens } = await signedIn()
    // From a page of the application, whose POST comes without our cookies; what it is led on to comes with them.
    const posted = await newVisitor().post(`${latchkey.issuer}/session/end`, hinted(tokens), {
      origin: 'http://localhost:9999',
    })
    expect(posted.status).toBe(303)
    const page = await visitor.get(posted.location ?? '')
    expect(isAsked(page)).toBe(false)
    expect((await confirm(visitor, page)).location).toBe(`${goodbye}?state=a+state`)
    expect(await isSignedIn(visitor)).toBe(false)
  })

  it('takes a client_id beside the ID token, and refuses another one (§2)', async () => {
    const { visitor, tokens } = await signedIn()
    const page = await end(visitor, { ...hinted(tokens), client_id: shop.client.id })
    expect([page.status, isAsked(page)]).toEqual([200, false])
    for (const client_id of [blog.client.id, 'nobody', '']) {
      const { status, location } = await visitor.get(
        `${latchkey.issuer}/session/end?${new URLSearchParams({ ...hinted(tokens), client_id })}`,
      )
      expect([client_id, status, location]).toEqual([client_id, client_id === '' ? 200 : 400, undefined])
    }
    const refused = await end(visitor, { client_id: 'nobody' })
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('You were not signed out.')])
    expect(await isSignedIn(visitor)).toBe(true)
  })

  it('finds nobody by a logout_hint: the page names who is signed in here', async () => {
    const { visitor } = await signedIn()
    for (const logout_hint of [ada.email, bob.email, 'nobody@example.test', '<script>']) {
      const page = await end(visitor, { logout_hint, post_logout_redirect_uri: goodbye })
      expect([page.status, isAsked(page)]).toEqual([200, true])
      expect(page.text).toContain(ada.email)
      expect(page.text).not.toContain('nobody@example.test')
      expect(page.text).not.toContain(bob.email)
      expect(page.text).not.toContain('<script>')
    }
  })

  it.each([
    ['as it is', 'a b&c=d#e"<ü', '?state=a+b%26c%3Dd%23e%22%3C%C3%BC'],
    ['without one', undefined, ''],
  ])('gives back the state %s (§3)', async (_what, state, query) => {
    const { visitor, tokens } = await signedIn()
    const { state: _, ...parameters } = hinted(tokens)
    const page = await end(visitor, { ...parameters, ...(state !== undefined && { state }) })
    expect((await confirm(visitor, page)).location).toBe(`${goodbye}${query}`)
  })

  it('leads to a page of ours where no address is named, with no state in it', async () => {
    const { visitor, tokens } = await signedIn()
    const page = await end(visitor, { id_token_hint: tokens.id_token ?? '', state: 'a state' })
    const done = await confirm(visitor, page)
    expect(done.location).toMatch(/^http:\/\/localhost:\d+\/session\/end\/success(\?client_id=[\w-]+)?$/)
    expect((await visitor.follow(done)).text).toContain('You are signed out')
  })

  it('refuses an ID token that is not as it was given, of nobody known, or twice', async () => {
    const { visitor, tokens } = await signedIn()
    const [header, payload = '', signature = ''] = (tokens.id_token ?? '').split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const forged = [
      [header, payload, `${signature.slice(0, -8)}AAAAAAAA`].join('.'),
      [header, encoded({ ...claims, aud: blog.client.id }), signature].join('.'),
      [header, encoded({ ...claims, aud: 'nobody' }), signature].join('.'),
      [encoded({ alg: 'none' }), payload, ''].join('.'),
      'nonsense',
    ]
    for (const id_token_hint of forged) {
      const page = await end(visitor, { ...hinted(tokens), id_token_hint })
      expect([page.status, page.location]).toEqual([400, undefined])
    }
    const twice = `${new URLSearchParams(hinted(tokens))}&id_token_hint=${tokens.id_token}`
    expect((await visitor.get(`${latchkey.issuer}/session/end?${twice}`)).status).toBe(400)
    expect(await isSignedIn(visitor)).toBe(true)
  })

  it('announces its address (§2.1)', async () => {
    const found = await (await fetch(`${latchkey.issuer}/.well-known/openid-configuration`)).json()
    expect(found).toMatchObject({ end_session_endpoint: `${latchkey.issuer}/session/end` })
  })

  it('speaks the language that is asked for, or the browser’s where it has none of them', async () => {
    const { visitor } = await signedIn()
    expect((await end(visitor, { ui_locales: 'tlh de' })).text).toContain('Von Latchkey abmelden?')
    expect(isAsked(await end(visitor, { ui_locales: 'tlh' }))).toBe(true)
  })

  it('from our own page ends the session too', async () => {
    const { visitor } = await signedIn()
    const home = await visitor.get(`${latchkey.issuer}/account`)
    expect(home.text).toContain(ada.email)
    const answer = await visitor.submit(home, {}, { action: '/sign-out' })
    expect(answer.status).toBe(303)
    expect((await visitor.follow(answer)).text).toContain('You are signed out')
    expect(await isSignedIn(visitor)).toBe(false)
    expect(isSignIn(await visitor.follow(await visitor.get((await shop.request()).url)))).toBe(true)
  })
})
