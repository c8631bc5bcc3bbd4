import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../src/kernel/errors.ts'
import { administration } from '../support/administration.ts'
import { openParties, type Parties, partiesOn } from '../support/parties.ts'

let opened: Parties
let permissive: ReturnType<typeof partiesOn>

beforeAll(async () => {
  opened = await openParties()
  permissive = partiesOn(opened.storage, { allowLegacy: true, allowHybrid: true })
})
afterAll(() => opened[Symbol.asyncDispose]())

const { create, update } = administration(() => permissive.clients.resource)
const strictly = administration(() => opened.clients.resource)

const keyOf = (type: 'ec' | 'rsa' | 'ed25519') => {
  const { publicKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : type === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519')
  return publicKey.export({ format: 'jwk' })
}
const ec = keyOf('ec')
const callback = 'https://bank.example/callback'
const bank = { name: 'Bank', kind: 'web', redirectUris: [callback], jwks: { keys: [ec] } }
const shop = { name: 'Shop', kind: 'web', redirectUris: [callback] }

const fapi = ['fapi-2-security', 'fapi-2-message-signing', 'fapi-1-advanced'] as const

/** The sentence with which the work is refused. */
const refusal = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no refusal',
    (error: unknown) =>
      error instanceof AppError && error.code === 'clients.inconsistent'
        ? error.message
        : `other: ${String(error)}`,
  )

describe('one setting', () => {
  it.each([
    ['oauth-2.1', shop, { responseTypes: ['code'] }],
    [
      'fapi-2-security',
      bank,
      {
        authentication: 'private_key_jwt',
        idTokenAlgorithm: 'ES256',
        requirePushedAuthorizationRequests: true,
        dpopBoundAccessTokens: true,
        responseTypes: ['code'],
        introspectionSignedResponseAlg: 'ES256',
      },
    ],
    [
      'fapi-2-message-signing',
      bank,
      {
        authentication: 'private_key_jwt',
        requirePushedAuthorizationRequests: true,
        requireSignedRequestObject: true,
        dpopBoundAccessTokens: true,
        authorizationSignedResponseAlg: 'ES256',
      },
    ],
    [
      'fapi-1-advanced',
      bank,
      {
        requireSignedRequestObject: true,
        tlsClientCertificateBoundAccessTokens: true,
        responseTypes: ['code'],
      },
    ],
    ['legacy', shop, { authentication: 'client_secret_basic', responseTypes: ['code'] }],
  ])('of %s decides what holds for the client', async (profile, input, effect) => {
    const { item } = await create({ ...input, profile })
    const found = await permissive.clients.clients.find(item.id)
    expect(found).toMatchObject({ profile, ...effect })
    expect(permissive.clients.clients.isActive(found as NonNullable<typeof found>)).toBe(true)
    // What an administrator sees is what was said, not what follows.
    expect(item).not.toHaveProperty('requirePushedAuthorizationRequests')
  })

  it('that nobody made means oauth-2.1', async () => {
    const { item } = await create(shop)
    expect(item).not.toHaveProperty('profile')
    expect(await permissive.clients.clients.find(item.id)).toMatchObject({
      profile: 'oauth-2.1',
      idTokenAlgorithm: 'RS256',
    })
  })

  it.each(fapi)('of %s leaves the choice between a key and a certificate', async (profile) => {
    for (const [said, other] of [
      ['tlsClientCertificateBoundAccessTokens', 'dpopBoundAccessTokens'],
      ['dpopBoundAccessTokens', 'tlsClientCertificateBoundAccessTokens'],
    ] as const) {
      for (const input of [{ [said]: true }, { [other]: false }]) {
        const { item } = await create({ ...bank, profile, ...input })
        const found = await permissive.clients.clients.find(item.id)
        expect([found?.[said], found?.[other] === true]).toEqual([true, false])
      }
    }
  })
})

describe('what is laxer than the profile is refused with a sentence that names it', () => {
  const common: readonly (readonly [string, object])[] = [
    ['a shared secret', { authentication: 'client_secret_basic', jwks: null }],
    ['ID tokens signed by RS256', { idTokenAlgorithm: 'RS256' }],
    ['assertions signed by RS256', { tokenEndpointAuthSigningAlg: 'RS256' }],
    ['user information signed by RS256', { userinfoSignedResponseAlg: 'RS256' }],
    ['responses signed by RS256', { authorizationSignedResponseAlg: 'RS256' }],
    ['requests signed by RS256', { requestObjectSigningAlg: 'RS256' }],
    ['tokens for anybody', { dpopBoundAccessTokens: false, tlsClientCertificateBoundAccessTokens: false }],
    ['the implicit flow', { responseTypes: ['id_token token'] }],
    ['a token from the front', { responseTypes: ['code', 'code token'] }],
    ['http on this machine', { redirectUris: ['http://localhost:9999/callback'] }],
    ['https on this machine', { redirectUris: [callback, 'https://localhost/callback'] }],
    ['a key that only RS256 may use', { jwks: { keys: [{ ...keyOf('rsa'), alg: 'RS256' }] } }],
  ]
  const own: Readonly<Record<(typeof fapi)[number], readonly (readonly [string, object])[]>> = {
    'fapi-2-security': [
      ['requests that are not pushed', { requirePushedAuthorizationRequests: false }],
      ['an ID token from the front', { responseTypes: ['code id_token'] }],
    ],
    'fapi-2-message-signing': [
      ['requests that are not pushed', { requirePushedAuthorizationRequests: false }],
      ['requests that are not signed', { requireSignedRequestObject: false }],
      ['responses that are not signed', { responseModes: ['query'] }],
      ['an ID token from the front', { responseTypes: ['code id_token'] }],
    ],
    'fapi-1-advanced': [
      ['requests that are not signed', { requireSignedRequestObject: false }],
      ['responses that are not signed', { responseModes: ['query', 'jwt'] }],
      ['EdDSA', { idTokenAlgorithm: 'EdDSA' }],
      ['a key that only EdDSA may use', { jwks: { keys: [keyOf('ed25519')] } }],
    ],
  }

  describe.each(fapi)('%s', (profile) => {
    it.each([...common, ...own[profile]])('%s, at creation and later', async (_what, change) => {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null))
      const { jwks: _keys, ...keyless } = bank
      const base = 'jwks' in change && change.jwks === null ? keyless : bank
      expect(await refusal(create({ ...base, ...given, profile }))).toContain(profile)
      const { item } = await create({ ...bank, profile })
      expect(await refusal(update(item, change as Record<string, unknown>))).toContain(profile)
      expect(await permissive.clients.clients.find(item.id)).toMatchObject({
        profile,
        authentication: 'private_key_jwt',
      })
    })

    it.each(['spa', 'native'])('a client of kind %s, which keeps no secret', async (kind) => {
      expect(await refusal(create({ ...shop, kind, profile }))).toContain(profile)
    })

    it('a client that is marked for it later, with what it has from before', async () => {
      const { item } = await create(shop)
      expect(await refusal(update(item, { profile }))).toContain(profile)
      const changes = {
        profile,
        authentication: 'private_key_jwt',
        jwks: { keys: [ec] },
        idTokenAlgorithm: 'ES256',
      }
      expect((await update(item, changes)).item).toMatchObject({ profile })
    })
  })

  it.each([
    ['oauth-2.1', 'implicit types', { responseTypes: ['id_token'] }],
    ['oauth-2.1', 'hybrid types', { responseTypes: ['code id_token'] }],
    [
      'legacy',
      'a mode that would write tokens into logs',
      { responseTypes: ['id_token'], responseModes: ['query'] },
    ],
  ])('%s: %s', async (profile, _what, change) => {
    expect(await refusal(create({ ...shop, ...change, profile }))).toContain(profile)
  })

  it('what fits no profile is refused as well', async () => {
    const refused: readonly object[] = [
      { dpopBoundAccessTokens: true, tlsClientCertificateBoundAccessTokens: true },
      { tokenEndpointAuthSigningAlg: 'ES256' },
      { requireSignedRequestObject: true },
      { profile: 'legacy', responseTypes: ['code token'], dpopBoundAccessTokens: true },
      { profile: 'legacy', responseTypes: ['id_token'], redirectUris: ['http://localhost:1/callback'] },
    ]
    for (const change of refused) expect(await refusal(create({ ...shop, ...change }))).toMatch(/\. .*\.$/)
    const service = { name: 'Job', kind: 'service' }
    for (const change of [
      { requirePushedAuthorizationRequests: true },
      { responseTypes: ['code'] },
      { initiateLoginUri: 'https://job.example/' },
    ])
      expect(await refusal(create({ ...service, ...change }))).toMatch(/\. .*\.$/)
  })
})

describe('what is stricter than the profile is taken', () => {
  it.each([
    [
      'oauth-2.1',
      shop,
      { requirePushedAuthorizationRequests: true, dpopBoundAccessTokens: true, responseModes: ['form_post'] },
    ],
    ['oauth-2.1', bank, { requireSignedRequestObject: true, tokenEndpointAuthSigningAlg: 'ES256' }],
    [
      'fapi-2-security',
      bank,
      { requireSignedRequestObject: true, responseModes: ['jwt'], tokenEndpointAuthSigningAlg: 'ES256' },
    ],
    ['fapi-1-advanced', bank, { requirePushedAuthorizationRequests: true, responseTypes: ['code id_token'] }],
    ['legacy', shop, { requirePushedAuthorizationRequests: true }],
  ])('%s', async (profile, input, change) => {
    const { item } = await create({ ...input, profile, ...change })
    expect(await permissive.clients.clients.find(item.id)).toMatchObject({ profile, ...change })
  })
})

describe('the profile legacy', () => {
  it('cannot be given where the server does not allow it', async () => {
    expect(await refusal(strictly.create({ ...shop, profile: 'legacy' }))).toContain(
      'LATCHKEY_CLIENTS_ALLOW_LEGACY',
    )
    const { item } = await strictly.create(shop)
    expect(await refusal(strictly.update(item, { profile: 'legacy' }))).toContain(
      'LATCHKEY_CLIENTS_ALLOW_LEGACY',
    )
  })

  it('makes a client worth nothing where the server allows it no more, until it has another profile', async () => {
    const { item } = await create({ ...shop, profile: 'legacy', responseTypes: ['code id_token'] })
    const { clients } = opened.clients
    const active = async () => clients.isActive((await clients.find(item.id)) as never)
    expect(await active()).toBe(false)
    expect(await refusal(strictly.update(item, { name: 'Renamed' }))).toContain('legacy')
    await strictly.update(item, { profile: null, responseTypes: [] })
    expect(await active()).toBe(true)
  })

  it('is needed for nothing that fapi-1-advanced does, whose ID token from the front is allowed apart', async () => {
    const hybrid = { ...bank, profile: 'fapi-1-advanced', responseTypes: ['code id_token'] }
    expect(await refusal(strictly.create(hybrid))).toContain('LATCHKEY_CLIENTS_ALLOW_HYBRID')
    const { item } = await create(hybrid)
    const { clients } = opened.clients
    expect(clients.isActive((await clients.find(item.id)) as never)).toBe(false)
  })
})

describe('what a client was given', () => {
  const leave = async (clientId: string): Promise<void> => {
    await opened.storage.db.artefact.createMany({
      data: [{ model: 'AccessToken', id: `token of ${clientId}`, payload: '{}', clientId }],
    })
  }
  const left = (clientId: string): Promise<number> =>
    opened.storage.db.artefact.count({ where: { clientId } })

  it.each([
    ['another profile', { profile: 'fapi-2-security' }, 0],
    ['another profile, laxer', { profile: 'legacy' }, 0],
    ['bound tokens', { dpopBoundAccessTokens: true }, 0],
    ['the profile that it has already', { profile: 'oauth-2.1' }, 1],
    ['pushed requests', { requirePushedAuthorizationRequests: true }, 1],
    ['another name', { name: 'Renamed' }, 1],
  ])('when it gets %s: what it could not be given any more ends', async (_what, change, remaining) => {
    const { item } = await create({ ...bank, idTokenAlgorithm: 'ES256' })
    await leave(item.id)
    await update(item, change)
    expect(await left(item.id)).toBe(remaining)
  })
})
