import { randomUUID } from 'node:crypto'
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fields, send, times } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServerProcess } from '../support/server-process.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const service = { kind: 'service', name: 'Bank', scopes: [], authentication: 'client_secret_post' }
const seconds = (): number => Math.floor(Date.now() / 1000)

describe('a client whose DPoP proofs must carry a nonce', () => {
  let latchkey: RunningLatchkey
  let key: GenerateKeyPairResult
  let bank: { readonly id: string; readonly secret: string }

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    key = await generateKeyPair('ES256', { extractable: true })
    bank = await latchkey.createClient({ ...service, dpopNonceRequired: true, dpopBoundAccessTokens: true })
  })
  afterAll(() => latchkey.close())

  const proof = async (claims: Readonly<Record<string, unknown>> = {}): Promise<string> =>
    await new SignJWT({
      htm: 'POST',
      htu: `${latchkey.issuer}/token`,
      jti: randomUUID(),
      iat: seconds(),
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(key.publicKey) })
      .sign(key.privateKey)
  const ask = async (dpop: string, { id, secret } = bank, issuer = latchkey.issuer) => {
    const form = { grant_type: 'client_credentials', client_id: id, client_secret: secret }
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { dpop },
      body: new URLSearchParams(form),
    })
    const body = (await response.json()) as Record<string, unknown>
    return { status: response.status, error: body.error, nonce: response.headers.get('dpop-nonce') ?? '' }
  }

  it('is told a nonce at the token endpoint, and gets a token with it', async () => {
    const refused = await ask(await proof())
    expect([refused.status, refused.error]).toEqual([400, 'use_dpop_nonce'])
    expect((await ask(await proof({ nonce: refused.nonce }))).status).toBe(200)
  })

  it.each([
    ['made up', { nonce: 'x'.repeat(43) }],
    ['empty', { nonce: '' }],
    ['no text', { nonce: 7 }],
  ])('gets nothing with a nonce that is %s', async (_what, claims) => {
    expect((await ask(await proof(claims))).status).toBe(400)
  })

  it('may have a clock that is wrong, as the nonce tells the time', async () => {
    const { nonce } = await ask(await proof())
    expect((await ask(await proof({ nonce, iat: seconds() - 86_400 }))).status).toBe(200)
  })

  it('gets one token for one proof, however often and wherever it comes', async () => {
    await using other = await startServerProcess({
      databaseUrl: latchkey.databaseUrl,
      issuer: latchkey.issuer,
    })
    const { nonce } = await ask(await proof())
    const dpop = await proof({ nonce })
    const form: Fields = { grant_type: 'client_credentials', client_id: bank.id, client_secret: bank.secret }
    const answers = await times(20, (index) =>
      send(index % 2 ? other : latchkey, '/token', { headers: { dpop }, form }),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    // The nonce of one process is good at the other.
    expect((await send(other, '/token', { headers: { dpop: await proof({ nonce }) }, form })).status).toBe(
      200,
    )
  })

  it('is followed by openid-client at the token endpoint and for user information', async () => {
    const shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true, dpopNonceRequired: true })
    const visitor = newVisitor()
    await shop.signIn(visitor, ada).catch(() => undefined)
    const request = await shop.request()
    const { location } = await visitor.get(request.url)
    const DPoP = openid.getDPoPHandle(shop.configuration, key)
    const tokens = await shop.redeem(request, location, { DPoP })
    expect(tokens.token_type).toBe('dpop')
    const fresh = openid.getDPoPHandle(shop.configuration, key)
    const sub = tokens.claims()?.sub ?? ''
    expect(
      await openid.fetchUserInfo(shop.configuration, tokens.access_token, sub, { DPoP: fresh }),
    ).toMatchObject({ sub })
    const bare = await fetch(`${latchkey.issuer}/me`, {
      headers: {
        authorization: `DPoP ${tokens.access_token}`,
        dpop: await proof({
          htm: 'GET',
          htu: `${latchkey.issuer}/me`,
          ath: await oauth.calculatePKCECodeChallenge(tokens.access_token),
        }),
      },
    })
    expect([bare.status, bare.headers.get('dpop-nonce')]).toEqual([401, expect.stringMatching(/.{40}/)])
    expect(bare.headers.get('www-authenticate')).toContain('error="use_dpop_nonce"')
  })

  it('is followed by oauth4webapi at the endpoint for pushed requests', async () => {
    const { id, secret } = await latchkey.createClient({
      kind: 'web',
      name: 'Shop',
      redirectUris: ['http://localhost:9999/callback'],
      dpopNonceRequired: true,
      authentication: 'client_secret_post',
    })
    const http = { [oauth.allowInsecureRequests]: true }
    const issuer = new URL(latchkey.issuer)
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http))
    const client = { client_id: id }
    const DPoP = oauth.DPoP({}, key)
    const push = async () => {
      const params = {
        response_type: 'code',
        redirect_uri: 'http://localhost:9999/callback',
        scope: 'openid',
        code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()),
        code_challenge_method: 'S256',
      }
      const response = await oauth.pushedAuthorizationRequest(
        server,
        client,
        oauth.ClientSecretPost(secret),
        params,
        { DPoP, ...http },
      )
      return await oauth.processPushedAuthorizationResponse(server, client, response)
    }
    const error = await push().catch((cause: unknown) => cause)
    expect(oauth.isDPoPNonceError(error)).toBe(true)
    expect((await push()).request_uri).toMatch(/^urn:/)
  })

  it('is alone in that: another client’s proofs are taken with a nonce and without', async () => {
    const free = await latchkey.createClient(service)
    const first = await ask(await proof(), free)
    expect(first.status).toBe(200)
    expect((await ask(await proof({ nonce: first.nonce }), free)).status).toBe(200)
    expect((await ask(await proof({ nonce: 'made up' }), free)).error).toBe('use_dpop_nonce')
  })

  it('need not be marked where the server demands nonces of all', async () => {
    await using strict = await startLatchkey({ environment: { LATCHKEY_PROVIDER_DPOP_NONCES: 'required' } })
    const plain = await strict.createClient(service)
    const htu = `${strict.issuer}/token`
    const refused = await ask(await proof({ htu }), plain, strict.issuer)
    expect(refused.error).toBe('use_dpop_nonce')
    expect((await ask(await proof({ htu, nonce: refused.nonce }), plain, strict.issuer)).status).toBe(200)
  })
})
