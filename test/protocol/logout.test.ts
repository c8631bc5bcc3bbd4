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

  it('speaks the language that is asked for', async () => {
    const { visitor } = await signedIn()
    expect((await end(visitor, { ui_locales: 'de' })).text).toContain('Von Latchkey abmelden?')
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
