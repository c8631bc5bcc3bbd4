import { compactDecrypt, createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClientKey, clientKey, seconds } from '../support/client-keys.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type RelyingParty, relyingParty, type Tokens } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const api = 'https://stock.example.test'
const jwt = 'application/token-introspection+jwt'

describe('answers about tokens as JWTs (RFC 9701)', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let key: ClientKey
  let asking: CreatedClient
  let secretive: CreatedClient
  let tokens: Tokens

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    key = await clientKey('ECDH-ES', 'enc')
    asking = await latchkey.createClient({
      kind: 'service',
      name: 'Stock',
      introspectionSignedResponseAlg: 'ES256',
    })
    secretive = await latchkey.createClient({
      kind: 'service',
      name: 'Vault',
      jwks: { keys: [key.publicJwk] },
      introspectionEncryptedResponseAlg: 'ECDH-ES',
      introspectionEncryptedResponseEnc: 'A256GCM',
    })
    await latchkey.createApi({
      indicator: api,
      name: 'Stock',
      scopes: [{ name: 'stock:read' }],
      tokenFormat: 'opaque',
      introspectors: [asking.id, secretive.id],
    })
    shop = await relyingParty(latchkey, {
      firstParty: true,
      scopes: ['openid', 'stock:read', 'offline_access'],
    })
    tokens = await shop.signIn(newVisitor(), ada, { scope: 'stock:read openid', resource: api })
  })
  afterAll(() => latchkey.close())

  const ask = async (client: CreatedClient, token: string, accept: string = jwt) =>
    await fetch(`${latchkey.issuer}/token/introspection`, {
      method: 'POST',
      headers: { accept, authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
      body: new URLSearchParams({ token }),
    })
  /** For the API itself, not for user information. */
  const forApi = async (): Promise<string> => {
    const response = await fetch(`${latchkey.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${shop.client.id}:${shop.client.secret}`)}` },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token ?? '',
        resource: api,
        scope: 'stock:read',
      }),
    })
    return ((await response.json()) as { access_token: string }).access_token
  }
  const verify = async (token: string, audience: string) =>
    await jwtVerify(token, createRemoteJWKSet(new URL(`${latchkey.issuer}/jwks`)), {
      issuer: latchkey.issuer,
      audience,
      typ: 'token-introspection+jwt',
    })

  it('are signed for who asks, as it wants them', async () => {
    const response = await ask(asking, await forApi())
    expect(response.headers.get('content-type')).toContain(jwt)
    const { payload, protectedHeader } = await verify(await response.text(), asking.id)
    expect(protectedHeader.alg).toBe('ES256')
    expect(payload.iat).toBeLessThanOrEqual(seconds())
    expect(payload.token_introspection).toMatchObject({
      active: true,
      aud: api,
      client_id: shop.client.id,
      scope: 'stock:read',
      iss: latchkey.issuer,
    })
    // RFC 9701 §5: nothing of the token stands beside the answer, so that nobody takes it for the token.
    expect(Object.keys(payload).toSorted()).toEqual(['aud', 'iat', 'iss', 'token_introspection'])
  })

  it('are accepted by oauth4webapi', async () => {
    const issuer = new URL(latchkey.issuer)
    const insecure = { [oauth.allowInsecureRequests]: true }
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, insecure),
    )
    const client: oauth.Client = { client_id: asking.id, introspection_signed_response_alg: 'ES256' }
    const authentication = oauth.ClientSecretBasic(asking.secret)
    const response = await oauth.introspectionRequest(server, client, authentication, await forApi(), {
      requestJwtResponse: true,
      ...insecure,
    })
    expect((await oauth.processIntrospectionResponse(server, client, response)).active).toBe(true)
  })

  it('are signed where the token is nobody’s or not for who asks, and say nothing else', async () => {
    for (const token of ['unknown', tokens.access_token]) {
      const { payload } = await verify(await (await ask(asking, token)).text(), asking.id)
      expect(payload.token_introspection).toEqual({ active: false })
    }
  })

  it('are plain JSON for who asks for JSON, or for nothing', async () => {
    for (const accept of ['application/json', '*/*']) {
      const response = await ask(asking, await forApi(), accept)
      expect(response.headers.get('content-type')).toContain('application/json')
      expect(await response.json()).toMatchObject({ active: true })
    }
  })

  it('are encrypted where the client wants that, and never come otherwise', async () => {
    const token = await forApi()
    const body = await (await ask(secretive, token)).text()
    expect(decodeProtectedHeader(body)).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', kid: key.kid })
    const { plaintext } = await compactDecrypt(body, key.privateKey)
    const { payload } = await verify(new TextDecoder().decode(plaintext), secretive.id)
    expect(payload.token_introspection).toMatchObject({ active: true, aud: api })
    for (const accept of ['application/json', '*/*']) {
      const refused = await ask(secretive, token, accept)
      expect([refused.status, await refused.json()]).toMatchObject([400, { error: 'invalid_request' }])
    }
  })

  it('are no access tokens', async () => {
    const answer = await (await ask(asking, await forApi())).text()
    const again = await ask(asking, answer)
    if (again.status === 200) {
      const { payload } = await verify(await again.text(), asking.id)
      expect(payload.token_introspection).toEqual({ active: false })
    } else expect(again.status).toBe(400)
    const me = await fetch(`${latchkey.issuer}/me`, { headers: { authorization: `Bearer ${answer}` } })
    expect(me.status).toBe(401)
  })

  it('are for nobody who cannot prove who he is', async () => {
    const response = await ask({ id: asking.id, secret: 'wrong' }, await forApi())
    expect(response.status).toBe(401)
  })
})
