import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openAudit } from '../../src/features/audit/index.ts'
import { openTrustedIssuers, type TrustedIssuersFeature } from '../../src/features/trusted-issuers/index.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { Input } from '../../src/kernel/input.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { administration, codeOf } from '../support/administration.ts'
import { fixedClock } from '../support/clock.ts'
import { openParties, type Parties } from '../support/parties.ts'

let opened: Parties
let feature: TrustedIssuersFeature

const openOn = (storage: Storage, { log }: Parties): TrustedIssuersFeature => {
  const clock = fixedClock()
  const { audit } = openAudit({ storage, clock, log, settings: { retentionSeconds: 86_400 } })
  return openTrustedIssuers({ storage, clock, audit, issuer: 'https://id.example' })
}

beforeAll(async () => {
  opened = await openParties()
  feature = openOn(opened.storage, opened)
})
afterAll(() => opened[Symbol.asyncDispose]())

const administrate = administration(() => feature.resource)
let made = 0
const cluster = (more: Input = {}): Input => {
  made += 1
  return { issuer: `https://cluster-${made}.example`, name: 'Cluster', ...more }
}
const create = async (input: Input) => (await administrate.create(input)).item
const find = (issuer: string) => feature.trustedIssuers.find(issuer)

describe('a trusted issuer', () => {
  it('is believed for two hours, with RS256 and ES256, as often as its tokens come, when nothing is said', async () => {
    const given = cluster()
    const item = await create(given)
    expect(item).toMatchObject({
      ...given,
      state: 'active',
      algorithms: ['RS256', 'ES256'],
      audiences: [],
      maximumLifetimeSeconds: 7_200,
      singleUse: false,
      people: [],
      jwks: null,
      jwksUri: null,
    })
    expect(await find(item.issuer)).toMatchObject({ id: item.id })
  })

  it('is found by its issuer, character by character, and not by its identifier', async () => {
    const { issuer, id } = await create(cluster())
    for (const other of [`${issuer}/`, issuer.toUpperCase(), id, `${issuer}\u0000`, '', '\ud800', '%'])
      expect(await find(other)).toBeUndefined()
    expect((await feature.resource.find(id))?.issuer).toBe(issuer)
  })

  it('counts no more while it is disabled or once it is deleted, in another process, too', async () => {
    const item = await create(cluster())
    expect(await find(item.issuer)).toBeDefined()
    await administrate.act(item, 'disable')
    expect(await find(item.issuer)).toBeUndefined()
    await administrate.act(item, 'enable')
    expect(await find(item.issuer)).toBeDefined()
    const another = openOn(await opened.storage.openAnother(), opened)
    expect(await another.trustedIssuers.find(item.issuer)).toBeDefined()
    await feature.resource.delete(item, commandLineActor)
    expect(await find(item.issuer)).toBeUndefined()
    await expect.poll(() => another.trustedIssuers.find(item.issuer)).toBeUndefined()
  })

  it('is registered once, even when twenty try at once', async () => {
    const given = cluster()
    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(create(given))))
    expect(codes.filter((code) => code === 'no error')).toHaveLength(1)
    expect(codes.filter((code) => code === 'trusted_issuers.taken')).toHaveLength(19)
  })

  it('is never this server itself', async () => {
    expect(await codeOf(create({ issuer: 'https://id.example', name: 'Itself' }))).toBe('trusted_issuers.own')
  })

  it.each([
    ['http', { issuer: 'http://cluster.example' }],
    ['a query', { issuer: 'https://cluster.example/?a=b' }],
    ['a fragment', { issuer: 'https://cluster.example/#a' }],
    ['a user name', { issuer: 'https://me@cluster.example' }],
    ['an address that is none', { issuer: 'cluster' }],
    ['keys at a plain address', { jwksUri: 'http://cluster.example/keys' }],
    ['keys in a file', { jwksUri: 'file:///etc/passwd' }],
    ['no algorithm', { algorithms: [] }],
    ['no signature', { algorithms: ['none'] }],
    ['a shared key', { algorithms: ['HS256'] }],
    ['a life of a month', { maximumLifetimeSeconds: 2_592_000 }],
    [
      'a subject mapped twice',
      {
        people: [
          { subject: 'a', userId: 'x' },
          { subject: 'a', userId: 'y' },
        ],
      },
    ],
    ['a subject that covers others', { people: [{ subject: 'a', userId: '*' }] }],
    ['an unknown field', { admin: true }],
  ])('is refused with %s', async (_what, more) => {
    expect(await codeOf(create(cluster(more)))).toBe('input.invalid')
  })

  it('takes public keys alone, from one place', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const [open, secret] = [await exportJWK(publicKey), await exportJWK(privateKey)]
    const keys = (...all: object[]): Input => ({ jwks: { keys: all } })
    expect((await create(cluster(keys({ ...open, x5u: 'https://evil.example' })))).jwks).toEqual({
      keys: [open],
    })
    const misfits = [
      { ...open, use: 'enc' },
      { ...open, alg: 'ECDH-ES' },
      { ...open, alg: 'RS256' },
    ]
    for (const bad of [secret, { kty: 'oct', k: 'c2VjcmV0' }, { ...open, y: open.x }, {}, ...misfits])
      expect(await codeOf(create(cluster(keys(bad))))).toBe('input.invalid')
    expect(await codeOf(create(cluster(keys(open, open))))).toBe('input.invalid')
    const both = { ...keys(open), jwksUri: 'https://cluster.example/keys' }
    expect(await codeOf(create(cluster(both)))).toBe('trusted_issuers.inconsistent')
    const item = await create(cluster(keys(open)))
    const moved = { jwks: null, jwksUri: 'https://cluster.example/keys' }
    expect((await administrate.update(item, moved)).item).toMatchObject(moved)
  })
})

describe('the credentials of a client', () => {
  const client = (credential: object): Input => ({
    kind: 'service',
    name: 'Importer',
    authentication: 'federated_jwt',
    federatedCredentials: [
      { issuer: 'https://cluster.example', subject: 'system:serviceaccount:a:b', ...credential },
    ],
  })
  const clients = administration(() => opened.clients.resource)

  it.each(['system:serviceaccount:shop:*', 'repo:acme/shop/*', 'spiffe://cluster/ns/shop/*'])(
    'cover with %s what is below',
    async (subject) => {
      expect(await codeOf(clients.create(client({ subject })))).toBe('no error')
    },
  )

  it.each([
    '*',
    ':*',
    'a:*',
    'repo:acme*',
    'repo:*/shop',
    'repo:acme/*:main',
    'system:serviceaccount:**',
    '',
  ])('cannot be as wide as %j', async (subject) => {
    expect(await codeOf(clients.create(client({ subject })))).toBe('input.invalid')
  })

  it.each([
    ['a claim that is always checked', { claims: { exp: 1 } }],
    ['a claim that is a list', { claims: { groups: ['a'] } }],
    ['an issuer that is no address', { issuer: 'cluster' }],
    ['something more', { admin: true }],
  ])('cannot have %s', async (_what, credential) => {
    expect(await codeOf(clients.create(client(credential)))).toBe('input.invalid')
  })

  it('and exchange policies stand with what they are for, and not without', async () => {
    const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
    const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    const tokenExchange = { modes: ['delegate'], audiences: ['https://api.example'] }
    const service = { kind: 'service', name: 'Importer' }
    const spa = { kind: 'spa', name: 'App', redirectUris: ['https://app.example/'] }
    for (const input of [
      { ...service, grantTypes: [exchange] },
      { ...service, tokenExchange },
      { ...service, grantTypes: [jwtBearer] },
      { ...service, authentication: 'federated_jwt' },
      { ...client({}), authentication: 'client_secret_basic' },
      {
        ...service,
        grantTypes: [jwtBearer],
        federatedCredentials: [{ issuer: 'https://cluster.example', subject: 'a' }],
        authentication: 'tls_client_auth',
        tlsClientAuthSanDns: 'importer.example',
      },
      { ...spa, grantTypes: ['authorization_code', exchange], tokenExchange },
      { ...spa, authentication: 'federated_jwt' },
    ])
      expect(await codeOf(clients.create(input))).toBe('clients.inconsistent')
    expect(await codeOf(clients.create({ ...service, grantTypes: [exchange], tokenExchange }))).toBe(
      'no error',
    )
  })
})
