/** Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §4): encrypted, pairwise, and good for nothing else. */
import { compactDecrypt, createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type Fields, register, send } from '../support/application.ts'
import { clientKey } from '../support/client-keys.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { answered, type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startToldApplication, type ToldApplication } from '../support/told-application.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }

let latchkey: RunningLatchkey
let told: ToldApplication
let userId: string
beforeAll(async () => {
  latchkey = await startLatchkey({
    environment: {
      LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true',
      LATCHKEY_HOST_FAILURES_PER_MINUTE: '1000',
    },
  })
  told = await startToldApplication()
  userId = await latchkey.createUser(ada)
})
afterAll(async () => {
  await told[Symbol.asyncDispose]()
  await latchkey.close()
})

const party = (input: Readonly<Record<string, unknown>> = {}): Promise<RelyingParty> =>
  relyingParty(latchkey, {
    firstParty: true,
    backchannelLogoutUri: told.backchannelLogoutUri,
    ...input,
  })
const endAll = () => latchkey.app.features.sessions.sessions.endAll(userId, { actor: commandLineActor })
const logoutToken = async (): Promise<string> => {
  await endAll()
  await latchkey.app.features.outbox.worker.drain()
  return told.got.at(-1)?.token ?? ''
}
const verify = (token: string, { client }: RelyingParty) =>
  jwtVerify(token, createRemoteJWKSet(new URL(`${latchkey.issuer}/jwks`)), {
    issuer: latchkey.issuer,
    audience: client.id,
    typ: 'logout+jwt',
  })

describe('a logout token speaks as the ID tokens of its client do', () => {
  it('names the person by the pairwise subject, and nowhere by another', async () => {
    const shop = await party({ subjectType: 'pairwise' })
    const claims = (await shop.signIn(newVisitor(), ada)).claims()
    const token = await logoutToken()
    const { payload } = await verify(token, shop)
    expect(payload.sub).toBe(claims?.sub)
    expect(payload.sid).toBe(claims?.sid)
    expect(JSON.stringify(payload)).not.toContain(userId)
  })

  it('is encrypted to the key of the client', async () => {
    const key = await clientKey('RSA-OAEP-256', 'enc')
    const plain = await party()
    const sealed = await latchkey.createClient({
      kind: 'web',
      name: 'Sealed',
      redirectUris: ['http://localhost:9999/callback'],
      firstParty: true,
      authentication: 'client_secret_basic',
      backchannelLogoutUri: told.backchannelLogoutUri,
      jwks: { keys: [key.publicJwk] },
      idTokenEncryptedResponseAlg: 'RSA-OAEP-256',
      idTokenEncryptedResponseEnc: 'A256GCM',
    })
    const visitor = newVisitor()
    await plain.signIn(visitor, ada)
    // The other application asks nothing any more; its encrypted ID token is of no interest here.
    const request = new URL((await plain.request()).url)
    request.searchParams.set('client_id', sealed.id)
    expect((await visitor.follow(await visitor.get(request.href))).location).toContain('code=')
    await endAll()
    await latchkey.app.features.outbox.worker.drain()
    const tokens = told.got.slice(-2).map(({ token }) => token)
    const encrypted = tokens.find((token) => token.split('.').length === 5) ?? ''
    const { plaintext, protectedHeader } = await compactDecrypt(encrypted, key.privateKey)
    expect(protectedHeader).toMatchObject({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
    const inner = Buffer.from(plaintext).toString()
    const { payload } = await verify(inner, { ...plain, client: sealed })
    expect(payload).toMatchObject({ sub: userId, sid: expect.any(String) })
  })

  it('leaves the application to hand over what was inside its encrypted ID token as a hint', async () => {
    const key = await clientKey('RSA-OAEP-256', 'enc')
    const sealed = await register(latchkey, {
      authentication: 'client_secret_basic',
      jwks: { keys: [key.publicJwk] },
      idTokenEncryptedResponseAlg: 'RSA-OAEP-256',
    })
    const visitor = newVisitor()
    const { body } = await sealed.redeem(await sealed.signIn(visitor, ada))
    const { plaintext } = await compactDecrypt(String(body.id_token), key.privateKey)
    const end = (id_token_hint: string) =>
      visitor.get(`${latchkey.issuer}/session/end?${new URLSearchParams({ id_token_hint })}`)
    const page = await end(Buffer.from(plaintext).toString())
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('data-auto-submit')])
    expect((await end(String(body.id_token))).status).toBe(400)
  })

  it.each(['ES256', 'PS256', 'EdDSA'])('is signed with %s where they are', async (idTokenAlgorithm) => {
    const shop = await party({ idTokenAlgorithm })
    await shop.signIn(newVisitor(), ada)
    expect((await verify(await logoutToken(), shop)).protectedHeader.alg).toBe(idTokenAlgorithm)
  })
})

describe('a logout token is refused as', () => {
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const bearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  const ciba = 'urn:openid:params:grant-type:ciba'
  const typeOf = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`
  let shop: RelyingParty
  let robot: CreatedClient
  let backend: CreatedClient
  let token: string
  let accessToken: string
  let robotToken: string

  beforeAll(async () => {
    const key = await clientKey('ES256')
    await latchkey.createApi({
      indicator: 'https://api.example.test',
      name: 'Stock',
      scopes: [{ name: 'stock:read' }],
    })
    shop = await party({ id: 'shop', scopes: ['openid', 'profile', 'email', 'stock:read'] })
    robot = await latchkey.createClient({
      kind: 'web',
      id: 'robot',
      name: 'Robot',
      redirectUris: ['http://localhost:9999/callback'],
      firstParty: true,
      authentication: 'private_key_jwt',
      jwks: { keys: [key.publicJwk] },
      backchannelLogoutUri: told.backchannelLogoutUri,
    })
    backend = await latchkey.createClient({
      kind: 'service',
      id: 'backend',
      name: 'Backend',
      grantTypes: [exchange, 'client_credentials'],
      scopes: ['stock:read'],
      tokenExchange: {
        modes: ['delegate'],
        audiences: ['https://api.example.test'],
        subjectClients: ['shop'],
      },
    })
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const request = new URL((await shop.request()).url)
    request.searchParams.set('client_id', 'robot')
    expect((await visitor.follow(await visitor.get(request.href))).location).toContain('code=')
    await endAll()
    await latchkey.app.features.outbox.worker.drain()
    const tokens = told.got.slice(-2).map((each) => each.token)
    const audienceOf = (each: string): unknown =>
      JSON.parse(Buffer.from(each.split('.')[1] ?? '', 'base64url').toString()).aud
    token = tokens.find((each) => audienceOf(each) === 'shop') ?? ''
    robotToken = tokens.find((each) => audienceOf(each) === 'robot') ?? ''
  })
  // One that is good, so that nothing else is wrong with what is refused.
  beforeEach(async () => {
    accessToken = (await shop.signIn(newVisitor(), ada)).access_token
  })

  const basic = ({ id, secret }: CreatedClient): Fields => ({
    authorization: `Basic ${btoa(`${id}:${secret}`)}`,
  })
  const post = (path: string, form: Fields, headers: Fields = {}) => send(latchkey, path, { form, headers })

  it('the assertion of a client', async () => {
    expect(robotToken).not.toBe('')
    const assertion = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: robotToken,
    }
    const answer = await post('/token', {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_id: robot.id,
      ...assertion,
    })
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  it.each(['access_token', 'id_token', 'jwt', 'refresh_token'])(
    'a subject token, said to be of type %s',
    async (name) => {
      const form = {
        grant_type: exchange,
        resource: 'https://api.example.test',
        subject_token: token,
        subject_token_type: typeOf(name),
      }
      const answer = await post('/token', form, basic(backend))
      expect(answer.status).toBe(400)
      expect(answer.body.error).toMatch(/^invalid_(request|grant)$/)
    },
  )

  it('an actor token', async () => {
    const form = {
      grant_type: exchange,
      subject_token: accessToken,
      subject_token_type: typeOf('access_token'),
      actor_token: token,
      actor_token_type: typeOf('access_token'),
    }
    const answer = await post('/token', form, basic(backend))
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatch(/^invalid_(request|grant)$/)
  })

  it('an authorization grant', async () => {
    const answer = await post('/token', { grant_type: bearer, assertion: token }, basic(backend))
    expect(answer.status).toBe(400)
    expect(answer.body).not.toHaveProperty('access_token')
  })

  it('an access token', async () => {
    expect(
      (await send(latchkey, '/me', { headers: { authorization: `Bearer ${accessToken}` } })).status,
    ).toBe(200)
    expect((await send(latchkey, '/me', { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
    const introspected = await post('/token/introspection', { token }, basic(shop.client))
    expect(introspected).toMatchObject({ status: 200, body: { active: false } })
  })

  it('a hint at who signs in', async () => {
    const visitor = newVisitor()
    const tokens = await shop.signIn(visitor, ada)
    const ask = async (hint: string) =>
      answered(
        (await visitor.get((await shop.request({ prompt: 'none', id_token_hint: hint })).url)).location,
      )
    expect(await ask(tokens.id_token ?? '')).toHaveProperty('code')
    expect(await ask(token)).toMatchObject({ error: 'invalid_request' })
  })

  it('a hint at who signs out', async () => {
    const answer = await send(latchkey, `/session/end?${new URLSearchParams({ id_token_hint: token })}`)
    expect(answer.status).toBe(400)
  })

  it('a hint at who is asked on another device', async () => {
    const kiosk = await party({ grantTypes: ['authorization_code', 'refresh_token', ciba] })
    const tokens = await kiosk.signIn(newVisitor(), ada)
    const own = await logoutToken()
    const ask = (hint: string) =>
      post('/backchannel', { scope: 'openid', id_token_hint: hint }, basic(kiosk.client))
    expect((await ask(tokens.id_token ?? '')).body).toHaveProperty('auth_req_id')
    expect(await ask(own)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })
})
