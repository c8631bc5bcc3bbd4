/** OpenID Connect Front-Channel Logout 1.0: the page that stands between a sign-out and where it leads. */
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { callbackUrl, type RelyingParty, relyingParty, type Tokens } from '../support/relying-party.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const goodbye = 'http://localhost:9999/goodbye'

describe('front-channel logout', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let blog: RelyingParty

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    shop = await relyingParty(latchkey, {
      name: 'Shop',
      firstParty: true,
      postLogoutRedirectUris: [goodbye],
      frontchannelLogoutUri: 'http://localhost:9999/out?shop=1',
    })
    blog = await relyingParty(latchkey, { name: 'Blog', firstParty: true })
  })
  afterAll(() => latchkey.close())

  const asked = async (visitor: Visitor, tokens: Tokens): Promise<Page> =>
    await visitor.get(
      openid.buildEndSessionUrl(shop.configuration, {
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: goodbye,
        state: 'a state',
      }).href,
    )
  const framesOf = ({ text }: Page): readonly URL[] =>
    [...text.matchAll(/<iframe src="([^"]+)"/g)].map(([, src = '']) => new URL(src.replaceAll('&amp;', '&')))
  const confirm = (visitor: Visitor, page: Page, answer = { logout: 'yes' } as Record<string, string>) =>
    visitor.submit(page, answer, { action: '/session/end/confirm' })

  it('frames the applications of the session with iss and sid, and leads on without scripts', async () => {
    const visitor = newVisitor()
    const tokens = await shop.signIn(visitor, ada)
    await blog.signIn(visitor, ada)
    const page = await confirm(visitor, await asked(visitor, tokens))
    expect([page.status, page.location]).toEqual([200, undefined])
    const [frame, ...others] = framesOf(page)
    expect(others).toEqual([])
    expect(frame?.origin).toBe('http://localhost:9999')
    expect(Object.fromEntries(frame?.searchParams ?? [])).toEqual({
      shop: '1',
      iss: latchkey.issuer,
      sid: tokens.claims()?.sid,
    })
    expect(page.headers.get('content-security-policy')).toMatch(/;frame-src http:\/\/localhost:9999$/)
    expect(page.headers.get('refresh')).toMatch(/^\d; url=http:\/\/localhost:9999\/goodbye\?state=a\+state$/)
    expect(page.text).toContain(`href="${goodbye}?state=a+state"`)
    expect(page.headers.get('cache-control')).toContain('no-store')
  })

  it('does the same where the person signs out on our own page', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const page = await visitor.submit(
      await visitor.get(`${latchkey.issuer}/account`),
      {},
      { action: '/sign-out' },
    )
    expect(framesOf(page)).toHaveLength(1)
    expect(page.headers.get('refresh')).toContain('/signed-out')
  })

  it('frames nothing where nobody signed out, or no application of the session asked for it', async () => {
    const visitor = newVisitor()
    const tokens = await shop.signIn(visitor, ada)
    const stayed = await visitor.submit(
      await visitor.get(`${latchkey.issuer}/session/end?client_id=${shop.client.id}`),
      {},
      { action: '/session/end/confirm' },
    )
    expect(stayed.status).toBe(303)
    expect(tokens.id_token).toBeDefined()
    const other = newVisitor()
    await blog.signIn(other, ada)
    const page = await other.submit(
      await other.get(`${latchkey.issuer}/account`),
      {},
      { action: '/sign-out' },
    )
    expect(page.status).toBe(303)
  })

  it.each([
    ['another host', { frontchannelLogoutUri: 'https://evil.test/out' }],
    ['another port', { frontchannelLogoutUri: 'http://localhost:9998/out' }],
    ['plain http', { frontchannelLogoutUri: 'http://shop.test/out', redirectUris: ['https://shop.test/'] }],
    ['a fragment', { frontchannelLogoutUri: 'http://localhost:9999/out#x' }],
    ['sessions but no address', { frontchannelLogoutSessionRequired: true }],
  ])('refuses %s', async (_what, input) => {
    await expect(
      latchkey.createClient({ kind: 'web', name: 'Evil', redirectUris: [callbackUrl], ...input }),
    ).rejects.toThrow()
  })
})
