import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  ClientSecretBasic,
  calculatePKCECodeChallenge,
  discoveryRequest,
  generateRandomCodeVerifier,
  processAuthorizationCodeResponse,
  processDiscoveryResponse,
  processUserInfoResponse,
  userInfoRequest,
  validateAuthResponse,
} from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const callback = 'http://localhost:9999/callback'
const insecure = { [allowInsecureRequests]: true }

// `/auth` is the name of an endpoint, too, and `/a/auth` ends like one: both have misled routers.
describe.each(['/id', '/auth', '/a/auth'])('an issuer with the path %s', (path) => {
  let latchkey: RunningLatchkey
  let origin: string
  beforeAll(async () => {
    const port = await freePort()
    origin = `http://localhost:${port}`
    latchkey = await startLatchkey({
      environment: { LATCHKEY_ISSUER: origin + path, PORT: String(port) },
    })
    await latchkey.createUser(ada)
  })
  afterAll(() => latchkey.close())

  const signedIn = async (visitor: Visitor): Promise<Page> => {
    const form = await visitor.follow(await visitor.get(`${latchkey.issuer}/account`))
    return await visitor.follow(
      await visitor.submit(form, { identifier: ada.email, password: ada.password }, { action: '/password' }),
    )
  }

  it.each(['oidc', 'oauth2'] as const)(
    'is found by %s discovery, and every endpoint is below it',
    async (algorithm) => {
      const issuer = new URL(latchkey.issuer)
      const response = await discoveryRequest(issuer, { algorithm, ...insecure })
      const server = await processDiscoveryResponse(issuer, response)
      const endpoints = Object.entries(server).filter(
        ([name]) => name.endsWith('_endpoint') || name === 'jwks_uri',
      )
      expect(endpoints.length).toBeGreaterThan(5)
      for (const [, url] of endpoints) expect(String(url).startsWith(`${latchkey.issuer}/`)).toBe(true)
      expect((await fetch(String(server.jwks_uri))).status).toBe(200)
    },
  )

  it('lets an application sign a person in', async () => {
    const client = await latchkey.createClient({
      kind: 'web',
      name: 'Shop',
      redirectUris: [callback],
      firstParty: true,
    })
    const server = await processDiscoveryResponse(
      new URL(latchkey.issuer),
      await discoveryRequest(new URL(latchkey.issuer), insecure),
    )
    const verifier = generateRandomCodeVerifier()
    const query = new URLSearchParams({
      client_id: client.id,
      response_type: 'code',
      redirect_uri: callback,
      scope: 'openid email',
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const visitor = newVisitor()
    const form = await visitor.follow(await visitor.get(`${server.authorization_endpoint}?${query}`))
    const back = await visitor.follow(
      await visitor.submit(form, { identifier: ada.email, password: ada.password }, { action: '/password' }),
    )
    const relyingParty = { client_id: client.id }
    const params = validateAuthResponse(server, relyingParty, new URL(back.location ?? ''))
    const redeemed = await authorizationCodeGrantRequest(
      server,
      relyingParty,
      ClientSecretBasic(client.secret),
      params,
      callback,
      verifier,
      insecure,
    )
    const tokens = await processAuthorizationCodeResponse(server, relyingParty, redeemed, {
      requireIdToken: true,
    })
    const claims = await userInfoRequest(server, relyingParty, tokens.access_token, insecure)
    const { sub } = await processUserInfoResponse(
      server,
      relyingParty,
      String(tokens.id_token && idSubject(tokens.id_token)),
      claims,
    )
    expect(sub).toBeTypeOf('string')
    for (const { path: of } of visitor.cookies) expect(of === '/' || of.startsWith(`${path}/`)).toBe(true)
  })

  it('shows pages whose every address is below it and answers', async () => {
    const visitor = newVisitor()
    const start = await visitor.follow(await visitor.get(`${latchkey.issuer}/account`))
    const account = await signedIn(visitor)
    expect(account.status).toBe(200)
    for (const page of [start, account]) {
      const own = addressesOf(page)
      expect(own.length).toBeGreaterThan(3)
      for (const address of own) expect(address.startsWith(`${path}/`)).toBe(true)
      const answers = await Promise.all(own.filter(isShown).map((link) => visitor.get(origin + link)))
      expect(answers.filter(({ status }) => status >= 400).map(({ url }) => url)).toEqual([])
    }
  })

  it('lets the person sign out', async () => {
    const visitor = newVisitor()
    const account = await signedIn(visitor)
    const out = await visitor.follow(await visitor.submit(account, {}, { action: '/sign-out' }))
    expect(out.status).toBe(200)
    const again = await visitor.follow(await visitor.get(`${latchkey.issuer}/account`))
    expect(again.text).toContain('name="password"')
  })

  it.each(
    ['/', '/account', '/token', '/jwks', '/.well-known/openid-configuration'].filter(
      (outside) => outside !== path,
    ),
  )('leaves %s of the host to others', async (outside) => {
    const answer = await fetch(origin + outside, { headers: { accept: 'application/json' } })
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain(`This server answers below ${latchkey.issuer} only.`)
  })

  it.each(['/health/live', '/health/ready', '/.well-known/webauthn'])(
    'answers %s at the root',
    async (known) => {
      expect([200, 404]).toContain((await fetch(origin + known)).status)
      expect((await fetch(`${origin}/health/live`)).status).toBe(200)
    },
  )

  it.each(['//evil.test/', '/%2e%2e/token', '/..%2ftoken', '/.well-known/a/b', `${'/x'.repeat(2000)}`])(
    'is not left by %s',
    async (trick) => {
      const answer = await fetch(`${origin}${path}${trick}`, { redirect: 'manual' })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
    },
  )
})

const idSubject = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string }).sub

/** Assets and pages, not what a form is sent to. */
const isShown = (address: string): boolean => /\/(?:assets\/|account(?:\/[a-z]+)?$)/.test(address)

/** Every address of our own that the markup of a page holds. */
const addressesOf = ({ text }: Page): readonly string[] =>
  [...text.matchAll(/\s(?:href|src|action|formaction)="(\/[^"]*)"/g)].map(([, address = '']) =>
    address.replaceAll('&amp;', '&'),
  )
