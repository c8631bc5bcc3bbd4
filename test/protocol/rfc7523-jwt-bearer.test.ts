import { decodeJwt, type JWTPayload } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type Fields, outcomes, send, times } from '../support/application.ts'
import { access, type Exchanging, exchanging, jwtApi, opaqueApi } from '../support/exchanges.ts'
import { type OutsideIssuer, startIssuer, trust } from '../support/issuers.ts'
import type { CreatedClient } from '../support/latchkey.ts'

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const subject = 'repo:acme/shop:environment:production'

describe('an assertion of a trusted issuer', () => {
  let world: Exchanging
  let ci: OutsideIssuer
  let deployer: CreatedClient
  let federated: CreatedClient

  beforeAll(async () => {
    world = await exchanging()
    ci = await startIssuer()
    await trust(world.latchkey, ci.issuer, { people: [{ subject: 'ada-outside', userId: world.userId }] })
    const federatedCredentials = [
      { issuer: ci.issuer, subject, claims: { repository: 'acme/shop' } },
      { issuer: ci.issuer, subject: 'ada-outside' },
    ]
    const common = { kind: 'service', scopes: ['orders:read'], grantTypes: [jwtBearer], federatedCredentials }
    deployer = await world.latchkey.createClient({ ...common, name: 'Deployer' })
    federated = await world.latchkey.createClient({
      ...common,
      name: 'Workload',
      authentication: 'federated_jwt',
      federatedCredentials: [{ issuer: ci.issuer, subject: 'repo:acme/api:*' }],
    })
  })
  afterAll(async () => {
    await ci[Symbol.asyncDispose]()
    await world.close()
  })

  const assertion = (claims: JWTPayload = {}, header = {}): Promise<string> =>
    ci.token({ sub: subject, aud: world.latchkey.issuer, repository: 'acme/shop', ...claims }, header)
  const ask = (text: string, form: Fields = {}, { id, secret } = deployer): Promise<Answer> =>
    send(world.latchkey, '/token', {
      headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
      form: { grant_type: jwtBearer, assertion: text, ...form },
    })

  it('gives the client that it is matched to a token of its own, through openid-client', async () => {
    const configuration = await world.configured(deployer)
    const answer = await openid.genericGrantRequest(configuration, jwtBearer, {
      assertion: await assertion(),
      resource: jwtApi,
      scope: 'orders:read',
    })
    const claims = decodeJwt(answer.access_token)
    expect(claims).toMatchObject({
      sub: deployer.id,
      client_id: deployer.id,
      aud: jwtApi,
      scope: 'orders:read',
    })
    expect(answer.refresh_token).toBeUndefined()
  })

  it('is enough by itself for a client that authenticates by such tokens', async () => {
    const own = await assertion({ sub: 'repo:acme/api:ref:main' })
    const form = { grant_type: jwtBearer, assertion: own, resource: jwtApi, scope: 'orders:read' }
    const { status, body } = await send(world.latchkey, '/token', { form })
    expect([status, decodeJwt(String(body.access_token)).sub]).toEqual([200, federated.id])
    expect(
      await send(world.latchkey, '/token', { form: { ...form, client_id: federated.id } }),
    ).toMatchObject({
      status: 200,
    })
    expect(await send(world.latchkey, '/token', { form: { ...form, client_id: deployer.id } })).toMatchObject(
      {
        status: 401,
      },
    )
  })

  it('never gives a token of a person, though its subject is one', async () => {
    const { body } = await ask(await assertion({ sub: 'ada-outside' }), {
      resource: jwtApi,
      scope: 'orders:read',
    })
    expect(decodeJwt(String(body.access_token)).sub).toBe(deployer.id)
    const impostor = await assertion({ sub: world.userId })
    expect(await ask(impostor)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  it.each<[string, JWTPayload]>([
    ['another subject', { sub: 'repo:acme/shop:environment:staging' }],
    ['another value of a claim', { repository: 'acme/other' }],
    ['another audience', { aud: 'https://elsewhere.test' }],
    ['an issuer that is not trusted', { iss: 'https://elsewhere.test' }],
    ['a time that is over', { iat: 1, exp: 2 }],
    ['too long a life', { exp: Math.floor(Date.now() / 1000) + 90_000 }],
  ])('is refused with %s', async (_what, claims) => {
    expect(await ask(await assertion(claims))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
  })

  it('is refused where it is one of our own tokens, or none', async () => {
    const { access_token: token, id_token: idToken } = await world.signIn(jwtApi)
    for (const text of [token, idToken, 'nonsense', await assertion({}, { typ: 'at+jwt' })])
      expect(await ask(String(text))).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect(await ask('')).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  it('gives no scope and no API beyond those of the client', async () => {
    expect(await ask(await assertion(), { resource: 'https://unknown.example.test' })).toMatchObject({
      body: { error: 'invalid_target' },
    })
    const { body } = await ask(await assertion(), { resource: jwtApi, scope: 'orders:read orders:write' })
    expect(body.scope).toBe('orders:read')
  })

  it('is refused to clients without the grant or without a proof of who they are', async () => {
    expect(await ask(await assertion(), {}, world.plain)).toMatchObject({ status: 400 })
    expect(await ask(await assertion(), {}, { ...deployer, secret: 'wrong' })).toMatchObject({ status: 401 })
  })

  it('works once where the issuer’s tokens do, as authentication and grant together, too', async () => {
    await using strict = await startIssuer()
    await trust(world.latchkey, strict.issuer, { singleUse: true })
    await world.latchkey.createClient({
      kind: 'service',
      name: 'Once',
      grantTypes: [jwtBearer],
      authentication: 'federated_jwt',
      federatedCredentials: [{ issuer: strict.issuer, subject: 'job:once:one' }],
    })
    const text = await strict.token({ sub: 'job:once:one', aud: world.latchkey.issuer, jti: 'one' })
    const form = { grant_type: jwtBearer, assertion: text }
    const answers = await times(20, () => send(world.latchkey, '/token', { form }))
    expect(outcomes(answers)).toEqual({ '200': 1, '401 invalid_client': 19 })
  })

  describe('as the subject of an exchange', () => {
    let porter: CreatedClient
    beforeAll(async () => {
      porter = await world.latchkey.createClient({
        kind: 'service',
        name: 'Porter',
        scopes: ['orders:read'],
        grantTypes: [access.grant],
        tokenExchange: { modes: ['delegate'], audiences: [opaqueApi], subjectIssuers: [ci.issuer] },
      })
    })
    const type = { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', resource: opaqueApi }

    it('stands for the person whom the operator has mapped, and for nobody else', async () => {
      const person = await assertion({ sub: 'ada-outside' })
      const { body } = await world.exchange(porter, person, type)
      expect(await world.state(porter, body.access_token)).toMatchObject({
        sub: world.userId,
        act: { sub: porter.id },
        scope: 'orders:read',
      })
      expect(body.expires_in).toBeLessThanOrEqual(300)
      for (const sub of [subject, world.userId, 'ada-outside '])
        expect(await world.exchange(porter, await assertion({ sub }), type)).toMatchObject({ status: 400 })
      expect(await world.exchange(world.gateway, person, type)).toMatchObject({ status: 400 })
      for (const claims of [
        { act: { sub: 'gateway' } },
        { may_act: { sub: 'gateway' } },
        { aud: 'https://elsewhere.test' },
      ])
        expect(
          await world.exchange(porter, await assertion({ sub: 'ada-outside', ...claims }), type),
        ).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
      const { latchkey, userId } = world
      await latchkey.app.storage.transaction((db) => latchkey.app.artefacts.endEverythingOfUser(db, userId))
      expect(await world.state(porter, body.access_token)).toEqual({ active: false })
    })
  })
})
