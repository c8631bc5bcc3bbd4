import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type Fields, outcomes, send, times } from '../support/application.ts'
import {
  assertionType,
  type Federated,
  federatedServer,
  importer,
  refused,
  subject,
} from '../support/federated.ts'
import { actOnIssuer, startIssuer, trust } from '../support/issuers.ts'

const id = importer
const seconds = (): number => Math.floor(Date.now() / 1000)
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a client that proves itself by a token of a trusted issuer', () => {
  let world: Federated
  let latchkey: Federated['latchkey']
  let cluster: Federated['cluster']
  let federated: Federated['federated']
  let token: Federated['token']
  let at: Federated['at']
  let ask: Federated['ask']

  beforeAll(async () => {
    world = await federatedServer()
    ;({ latchkey, cluster, federated, token, at, ask } = world)
  })
  afterAll(() => world.close())

  it('gets tokens, as often as its token lasts, without a secret anywhere', async () => {
    const assertion = await token()
    expect(outcomes(await times(20, () => ask(assertion)))).toEqual({ '200': 20 })
  })

  it('is served through oauth4webapi', async () => {
    const as = { issuer: latchkey.issuer, token_endpoint: `${latchkey.issuer}/token` }
    const assertion = await token()
    const authenticate: oauth.ClientAuth = (_as, client, body) => {
      body.set('client_id', client.client_id)
      body.set('client_assertion_type', assertionType)
      body.set('client_assertion', assertion)
    }
    const options = { [oauth.allowInsecureRequests]: true }
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      { client_id: id },
      authenticate,
      {},
      options,
    )
    expect(await oauth.processClientCredentialsResponse(as, { client_id: id }, response)).toMatchObject({
      token_type: 'bearer',
    })
  })

  it('is known at introspection, revocation and pushed authorization requests, too', async () => {
    const { body } = await ask(await token())
    const form = { client_id: id, token: String(body.access_token) }
    expect(await at('/token/introspection', form, await token())).toMatchObject({
      body: { active: true, client_id: id },
    })
    expect(await at('/token/introspection', form, await token({ sub: 'other' }))).toMatchObject(refused)
    expect(await at('/token/revocation', form, await token())).toMatchObject({ status: 200 })
    expect(await at('/token/introspection', form, await token())).toMatchObject({ body: { active: false } })
    const web = await federated({ kind: 'web', name: 'Shop', redirectUris: ['https://shop.test/cb'] })
    const request = {
      client_id: web.id,
      response_type: 'code',
      redirect_uri: 'https://shop.test/cb',
      scope: 'openid',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    }
    expect(await at('/request', request, await token())).toMatchObject({ status: 201 })
    expect(await at('/request', request, await token({ sub: 'other' }))).toMatchObject(refused)
  })

  it('need not name itself where its token tells it, and must where it stands for several', async () => {
    const only = 'system:serviceaccount:alone:only'
    const client = await federated({}, { subject: only })
    const { body, status } = await ask(await token({ sub: only }), {})
    expect(status).toBe(200)
    const form = { client_id: client.id, token: String(body.access_token) }
    expect(await at('/token/introspection', form, await token({ sub: only }))).toMatchObject({
      body: { active: true, client_id: client.id },
    })
    await federated({}, { subject: 'system:serviceaccount:alone:*' })
    expect(await ask(await token({ sub: only }), {})).toMatchObject(refused)
    expect(await ask(await token({ sub: only }))).toMatchObject(refused)
    expect(await ask(await token({ sub: only }), { client_id: client.id })).toMatchObject({ status: 200 })
    expect(await ask(await token({ sub: 'nobody' }), {})).toMatchObject(refused)
  })

  it('is proven by nothing else: no secret, no assertion of its own making, no name alone', async () => {
    const form = { grant_type: 'client_credentials', client_id: id }
    const proofs: readonly Fields[] = [{}, { client_secret: 'secret' }, { client_secret: '' }]
    for (const more of proofs) {
      const { status } = await send(latchkey, '/token', { form: { ...form, ...more } })
      expect(status).toBe(401)
    }
    const basic = { authorization: `Basic ${btoa(`${id}:secret`)}` }
    expect(await send(latchkey, '/token', { headers: basic, form })).toMatchObject(refused)
    const own = await cluster.token({ iss: id, sub: id, aud: latchkey.issuer, jti: 'a' })
    expect(await ask(own)).toMatchObject(refused)
    const both = await at('/token', { ...form, client_secret: 'secret' }, await token())
    expect(both.status).toBe(400)
  })

  it('is not proven by a secret that it had before', async () => {
    const client = await latchkey.createClient({ kind: 'service', name: 'Before' })
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(client.id)
    if (item === undefined) throw new Error('The client is gone.')
    const credentials = [{ issuer: cluster.issuer, subject }]
    await resource.update(
      item,
      { authentication: 'federated_jwt', federatedCredentials: credentials },
      commandLineActor,
    )
    const form = { grant_type: 'client_credentials', client_id: client.id, client_secret: client.secret }
    expect(await send(latchkey, '/token', { form })).toMatchObject(refused)
    expect(await ask(await token(), { client_id: client.id })).toMatchObject({ status: 200 })
  })

  it('is needed to be one of that kind: a token of a trusted issuer opens no other client', async () => {
    const secret = await latchkey.createClient({ kind: 'service', name: 'Secret' })
    const spa = await latchkey.createClient({ kind: 'spa', name: 'App', redirectUris: ['https://a.test/'] })
    for (const client_id of [secret.id, spa.id, 'unknown', 'latchkey'])
      expect(await ask(await token(), { client_id })).toMatchObject(refused)
  })

  it.each<[string, JWTPayload]>([
    ['for another server', { aud: 'https://elsewhere.test' }],
    ['for others, too', { aud: ['https://elsewhere.test', 'http://localhost'] }],
    ['for nobody', { aud: undefined as unknown as string }],
    ['of another subject', { sub: 'system:serviceaccount:shop:importer2' }],
    ['of a subject that begins alike', { sub: `${subject}:x` }],
    ['of a subject in other letters', { sub: subject.toUpperCase() }],
    ['of nobody', { sub: undefined as unknown as string }],
    ['of another issuer', { iss: 'https://elsewhere.test' }],
    ['expired', { iat: seconds() - 600, exp: seconds() - 20 }],
    ['without an end', { exp: undefined as unknown as number }],
    ['without a beginning', { iat: undefined as unknown as number }],
    ['not yet valid', { nbf: seconds() + 120 }],
    ['issued in the future', { iat: seconds() + 120 }],
    ['valid for too long', { exp: seconds() + 86_400 }],
    ['that tells of a logout', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
  ])('is not proven by a token %s', async (_what, claims) => {
    expect(await ask(await token(claims))).toMatchObject(refused)
  })

  it('is not proven by one that is for others beside this server', async () => {
    expect(await ask(await token({ aud: [latchkey.issuer, 'https://elsewhere.test'] }))).toMatchObject(
      refused,
    )
    expect(await ask(await token({ aud: [latchkey.issuer] }))).toMatchObject({ status: 200 })
  })

  it('bears clocks that are some seconds apart', async () => {
    const late = await token({ iat: seconds() - 60, exp: seconds() - 5 })
    const early = await token({ iat: seconds() + 10, nbf: seconds() + 10 })
    expect([(await ask(late)).status, (await ask(early)).status]).toEqual([200, 200])
  })

  it.each(['at+jwt', 'logout+jwt', 'dpop+jwt', 'secevent+jwt'])('is not proven by a %s', async (typ) => {
    expect(await ask(await token({}, { typ }))).toMatchObject(refused)
    expect((await ask(await token({}, { typ: 'JWT' }))).status).toBe(200)
  })

  it('is not proven by a token that nobody, or somebody else, has signed', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const claims = {
      iss: cluster.issuer,
      sub: subject,
      aud: latchkey.issuer,
      iat: seconds(),
      exp: seconds() + 60,
    }
    const jwk = await exportJWK(publicKey)
    const forged = (header: object) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'first', ...header }).sign(privateKey)
    expect(await ask(new UnsecuredJWT(claims).encode())).toMatchObject(refused)
    const [, payload] = (await token()).split('.')
    expect(await ask(`${encode({ alg: 'none' })}.${payload}.`)).toMatchObject(refused)
    for (const header of [
      {},
      { jwk },
      { kid: 'another' },
      { jku: 'http://localhost:1/keys' },
      { x5u: 'http://localhost:1/cert' },
    ])
      expect(await ask(await forged(header))).toMatchObject(refused)
  })

  it('is not proven by a MAC with the public key', async () => {
    const secret = Buffer.from(JSON.stringify(await cluster.publicKey()))
    const claims = {
      iss: cluster.issuer,
      sub: subject,
      aud: latchkey.issuer,
      iat: seconds(),
      exp: seconds() + 60,
    }
    for (const alg of ['HS256', 'HS512']) {
      const mac = await new SignJWT(claims)
        .setProtectedHeader({ alg, kid: 'first' })
        .sign(Buffer.alloc(64, secret))
      expect(await ask(mac)).toMatchObject(refused)
    }
  })

  it('is not proven by a token that this server has signed', async () => {
    await latchkey.createApi({ indicator: latchkey.issuer, name: 'Itself', scopes: [{ name: 'own' }] })
    const robot = await latchkey.createClient({ kind: 'service', name: 'Robot', scopes: ['own'] })
    const { body } = await send(latchkey, '/token', {
      headers: { authorization: `Basic ${btoa(`${robot.id}:${robot.secret}`)}` },
      form: { grant_type: 'client_credentials', resource: latchkey.issuer, scope: 'own' },
    })
    const own = await federated({}, { issuer: latchkey.issuer, subject: robot.id })
    expect(await ask(String(body.access_token), { client_id: own.id })).toMatchObject(refused)
  })

  it.each([
    ['too long', () => token({ padding: 'x'.repeat(20_000) })],
    ['nested very deeply', () => token({ deep: JSON.parse(`${'['.repeat(3_000)}${']'.repeat(3_000)}`) })],
    ['that is no JWT', async () => 'abc'],
    ['that is empty inside', async () => '..'],
    ['with a list as its payload', async () => `${encode({ alg: 'ES256' })}.${encode([])}.AAAA`],
  ])('answers a token %s without a server error', async (what, make) => {
    const { status } = await ask(await make())
    expect(what.startsWith('nested') ? [200, 400, 401] : [400, 401]).toContain(status)
  })

  it('is matched on exact claims, and on an audience of its own', async () => {
    const claims = { repository: 'acme/shop', ref_protected: true, run_attempt: 1 }
    const client = await federated({}, { subject: 'repo:acme/shop:*', claims })
    const at = async (own: JWTPayload) =>
      (await ask(await token({ sub: 'repo:acme/shop:ref:main', ...own }), { client_id: client.id })).status
    expect(await at(claims)).toBe(200)
    for (const wrong of [
      {},
      { ...claims, repository: 'acme/shop2' },
      { ...claims, repository: ['acme/shop'] },
      { ...claims, ref_protected: 'true' },
      { ...claims, run_attempt: '1' },
      { ...claims, sub: 'repo:acme/shop-evil:ref:main' },
      { ...claims, sub: 'repo:acme/shop:' },
    ])
      expect(await at(wrong)).toBe(401)
    const narrow = await federated({}, { audience: 'api://exchange' })
    expect(await ask(await token(), { client_id: narrow.id })).toMatchObject(refused)
  })

  it('is refused once the issuer is not trusted any more, and when the client is disabled', async () => {
    await using ci = await startIssuer()
    await trust(latchkey, ci.issuer)
    const client = await federated({}, { issuer: ci.issuer })
    const status = async () =>
      (await ask(await ci.token({ sub: subject, aud: latchkey.issuer }), { client_id: client.id })).status
    expect(await status()).toBe(200)
    await actOnIssuer(latchkey, ci.issuer, 'disable')
    expect(await status()).toBe(401)
    await actOnIssuer(latchkey, ci.issuer, 'enable')
    expect(await status()).toBe(200)
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(client.id)
    if (item === undefined) throw new Error('The client is gone.')
    await resource.actions.find(({ name }) => name === 'disable')?.run(item, {}, commandLineActor)
    expect(await status()).toBe(401)
  })

  it('is proven once by each token of an issuer whose tokens work once, also when twenty come at once', async () => {
    await using ci = await startIssuer()
    await trust(latchkey, ci.issuer, { singleUse: true })
    const client = await federated({}, { issuer: ci.issuer })
    const claims = { sub: subject, aud: latchkey.issuer }
    const assertion = await ci.token({ ...claims, jti: 'run-1' })
    const answers = await times(20, () => ask(assertion, { client_id: client.id }))
    expect(outcomes(answers)).toEqual({ '200': 1, '401 invalid_client': 19 })
    expect(await ask(await ci.token(claims), { client_id: client.id })).toMatchObject(refused)
    expect(await ask(await ci.token({ ...claims, jti: 'run-2' }), { client_id: client.id })).toMatchObject({
      status: 200,
    })
  })

  it('tells the operator why, and the client nothing', async () => {
    const { body } = await ask(await token({ aud: 'https://elsewhere.test' }))
    expect(body).toEqual({ error: 'invalid_client', error_description: 'client authentication failed' })
    expect(latchkey.logged.some((line) => line.includes('unexpected \\"aud\\" claim value'))).toBe(true)
  })
})
