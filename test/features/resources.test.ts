import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ResourceItem } from '../../src/features/resources/index.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { Input } from '../../src/kernel/input.ts'
import { administration, codeOf } from '../support/administration.ts'
import { openParties, type Parties, partiesOn } from '../support/parties.ts'

let opened: Parties

beforeAll(async () => {
  opened = await openParties()
})
afterAll(() => opened[Symbol.asyncDispose]())

const resource = () => opened.resources.resource
const resources = () => opened.resources.resources

const administrate = administration(resource)

const create = async (input: Input): Promise<ResourceItem> => (await administrate.create(input)).item
const update = async (item: ResourceItem, input: Input): Promise<ResourceItem> =>
  (await administrate.update(item, input)).item
const act = async (item: ResourceItem, name: string): Promise<ResourceItem> =>
  (await administrate.act(item, name)).item

let made = 0
const orders = () => {
  made += 1
  return { indicator: `https://api.example/${made}`, name: 'Orders' }
}

describe('what an API is', () => {
  it('gets JWT access tokens of ten minutes, signed with ES256, when nothing is said', async () => {
    const given = orders()
    expect(await create(given)).toMatchObject({
      ...given,
      state: 'active',
      scopes: [],
      introspectors: [],
      tokenFormat: 'jwt',
      tokenAlgorithm: 'ES256',
      accessTokenTtlSeconds: 600,
    })
  })

  it('is found by its indicator, character by character', async () => {
    const scopes = [{ name: 'read:orders', description: 'Read your orders' }]
    const { indicator, id } = await create({
      ...orders(),
      scopes,
      tokenFormat: 'opaque',
      introspectors: ['orders-api'],
      accessTokenTtlSeconds: 60,
    })
    expect(await resources().findByIndicator(indicator)).toMatchObject({
      id,
      scopes,
      tokenFormat: 'opaque',
      accessTokenTtlSeconds: 60,
    })
    for (const other of [
      `${indicator}/`,
      indicator.toUpperCase(),
      `${indicator}?`,
      `${indicator}\u0000`,
      '',
      '\ud800',
      '%',
    ]) {
      expect(await resources().findByIndicator(other)).toBeUndefined()
      expect(await resource().find(other)).toBeUndefined()
    }
    expect((await resource().find(indicator))?.id).toBe(id)
    expect((await resource().find(id))?.indicator).toBe(indicator)
  })

  it.each([
    'https://api.example',
    'https://api.example:8443/v1?tenant=a',
    'urn:example:orders',
    'http://orders.internal/',
  ])('takes the indicator %s', async (indicator) => {
    expect((await create({ indicator, name: 'Orders' })).indicator).toBe(indicator)
  })

  it.each([
    ['a fragment', 'https://api.example/#orders'],
    ['an empty fragment', 'https://api.example/#'],
    ['a relative one', '/orders'],
    ['a bare word', 'orders'],
    ['a user name', 'https://me:secret@api.example/'],
    ['javascript', 'javascript:alert(1)'],
    ['data', 'data:text/plain,x'],
    ['a space', 'https://api.example/a b'],
    ['a line end', 'https://api.example/\r\nx'],
    ['a NUL byte', 'https://api.example/\u0000'],
    ['a very long one', `https://api.example/${'a'.repeat(500)}`],
    ['a number', 7],
    ['a list', ['https://api.example']],
  ])('refuses an indicator that is or has %s', async (_, indicator) => {
    expect(await codeOf(create({ indicator, name: 'Orders' }))).toBe('input.invalid')
  })

  it.each([
    'openid',
    'profile',
    'email',
    'address',
    'phone',
    'offline_access',
    'read orders',
    'a"b',
    'a\\b',
    '',
    'lésen',
    'a\u0000',
    'a'.repeat(129),
  ])('refuses the scope %j', async (name) => {
    expect(await codeOf(create({ ...orders(), scopes: [{ name, description: 'x' }] }))).toBe('input.invalid')
  })

  it.each([
    ['a scope named twice', { scopes: [{ name: 'a' }, { name: 'a' }] }],
    ['too many scopes', { scopes: Array.from({ length: 201 }, (_, index) => ({ name: `s${index}` })) }],
    ['a scope with more to it', { scopes: [{ name: 'a', description: 'x', admin: true }] }],
    ['a description of several lines', { scopes: [{ name: 'a', description: 'x\r\ny' }] }],
    ['a lifetime below a minute', { accessTokenTtlSeconds: 59 }],
    ['a lifetime above a day', { accessTokenTtlSeconds: 86_401 }],
    ['a lifetime in fractions', { accessTokenTtlSeconds: 60.5 }],
    ['a lifetime as text', { accessTokenTtlSeconds: '600' }],
    ['an unsigned token', { tokenAlgorithm: 'none' }],
    ['a symmetric algorithm', { tokenAlgorithm: 'HS256' }],
    ['an unknown format', { tokenFormat: 'xml' }],
    ['an unknown field', { admin: true }],
    ['an introspector that no client can be', { introspectors: ['a b'] }],
    ['a name with a NUL byte', { name: 'a\u0000' }],
  ])('refuses %s', async (_, input) => {
    expect(await codeOf(create({ ...orders(), ...input }))).toBe('input.invalid')
  })

  it('is registered once, even when twenty try at once', async () => {
    const given = orders()
    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(create(given))))
    expect(codes.filter((code) => code === 'no error')).toHaveLength(1)
    expect(codes.filter((code) => code === 'resources.indicator_taken')).toHaveLength(19)
  })
})

describe('changes', () => {
  it('changes what is named, leaves the rest and never the indicator', async () => {
    const item = await create({ ...orders(), tokenFormat: 'opaque', accessTokenTtlSeconds: 900 })
    const changed = await update(item, { name: 'Orders 2' })
    expect(changed).toEqual({ ...item, name: 'Orders 2', updatedAt: changed.updatedAt })
    expect(await codeOf(update(item, { indicator: 'https://other.example' }))).toBe('input.invalid')
  })

  it('loses none of twenty changes made at once', async () => {
    const item = await create(orders())
    const inputs = [
      { name: 'New' },
      { tokenFormat: 'opaque' },
      { accessTokenTtlSeconds: 61 },
      { scopes: [{ name: 'a' }] },
    ]
    const all = Array.from({ length: 20 }, (_, index) => codeOf(update(item, inputs[index % 4] ?? {})))
    expect(new Set(await Promise.all(all))).toEqual(new Set(['no error']))
    expect(await resource().find(item.id)).toMatchObject({
      name: 'New',
      tokenFormat: 'opaque',
      accessTokenTtlSeconds: 61,
      scopes: [{ name: 'a', description: '' }],
    })
  })

  it('acts at once in this process and soon in others', async () => {
    const item = await create(orders())
    const other = partiesOn(await opened.storage.openAnother()).resources.resources
    const active = async (of: typeof other): Promise<boolean | undefined> => {
      const found = await of.findByIndicator(item.indicator)
      return found && of.isActive(found)
    }
    expect(await active(resources())).toBe(true)
    expect(await active(other)).toBe(true)
    expect((await act(item, 'disable')).state).toBe('disabled')
    expect(await active(resources())).toBe(false)
    await expect.poll(() => active(other)).toBe(false)
    expect((await act(item, 'enable')).state).toBe('active')
    expect(await active(resources())).toBe(true)
    await resource().delete(item, commandLineActor)
    expect(await active(resources())).toBeUndefined()
    await expect.poll(() => active(other)).toBeUndefined()
    expect(await codeOf(act(item, 'disable'))).toBe('resources.unknown')
  })

  it('records who changed what', async () => {
    const item = await create(orders())
    await act(item, 'disable')
    const events = await opened.storage.db.auditEvent.findMany({ where: { detail: { contains: item.id } } })
    expect(events.map(({ action }) => action).toSorted()).toEqual(['resources.created', 'resources.disabled'])
  })

  it('hands out what nobody can change', async () => {
    const { indicator } = await create({ ...orders(), scopes: [{ name: 'a' }] })
    const found = await resources().findByIndicator(indicator)
    for (const part of [found, found?.scopes, found?.scopes[0], found?.introspectors])
      expect(Object.isFrozen(part)).toBe(true)
  })
})

it('lists page by page what a search finds in names and indicators, whatever its case', async () => {
  for (let index = 0; index < 4; index += 1) {
    await create({ indicator: `https://paged.example/${index}`, name: index % 2 === 0 ? 'Paged' : 'Other' })
  }
  const first = await resource().list({ limit: 3, search: 'PAGED' })
  const second = await resource().list({ limit: 3, search: 'PAGED', after: first.next })
  expect(first.items).toHaveLength(3)
  expect(new Set([...first.items, ...second.items].map(({ indicator }) => indicator)).size).toBe(4)
  expect(second.next).toBeUndefined()
})

describe('what the protocol knows of an API', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const small = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  const keys = (...all: object[]) => ({ keys: all })
  const publicOf = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ format: 'jwk' })

  it('is kept, told, changed and taken away', async () => {
    const given = {
      ...orders(),
      requiredSenderConstraint: 'dpop',
      claims: [{ claim: 'tenant', from: 'fixed', value: 'north' }],
      authorizationDetailsTypes: ['payment_initiation'],
      accessTokenEncryptionAlg: 'ECDH-ES',
      jwks: keys(publicOf(ec)),
    }
    const item = await create(given)
    expect(item).toMatchObject(given)
    expect(await resources().findByIndicator(given.indicator)).toMatchObject(given)
    const none = { requiredSenderConstraint: null, accessTokenEncryptionAlg: null, jwks: null }
    const changed = await update(item, none)
    for (const name of Object.keys(none)) expect(changed).not.toHaveProperty(name)
    expect(changed.claims).toEqual(given.claims)
  })

  it.each([
    ['an algorithm without a key', { accessTokenEncryptionAlg: 'ECDH-ES' }],
    ['a key without an algorithm', { jwks: keys(publicOf(ec)) }],
    ['a method without an algorithm', { accessTokenEncryptionEnc: 'A256GCM' }],
    [
      'an algorithm for another type of key',
      { accessTokenEncryptionAlg: 'ECDH-ES', jwks: keys(publicOf(rsa)) },
    ],
    [
      'encryption of opaque tokens',
      { tokenFormat: 'opaque', accessTokenEncryptionAlg: 'RSA-OAEP-256', jwks: keys(publicOf(rsa)) },
    ],
    [
      'a key for another algorithm',
      { accessTokenEncryptionAlg: 'ECDH-ES', jwks: keys({ ...publicOf(ec), alg: 'ECDH-ES+A256KW' }) },
    ],
  ])('does not fit together with %s', async (_what, input) => {
    expect(await codeOf(create({ ...orders(), ...input }))).toBe('resources.inconsistent')
  })

  it.each([
    ['a private key', keys(ec.privateKey.export({ format: 'jwk' }))],
    ['a short RSA key', keys(publicOf(small))],
    ['a key to sign with', keys({ ...publicOf(ec), use: 'sig' })],
    ['two keys', keys(publicOf(ec), publicOf(rsa))],
    ['a secret', keys({ kty: 'oct', k: 'AAAA' })],
    ['a key for RSA-OAEP with SHA-1', keys({ ...publicOf(rsa), alg: 'RSA-OAEP' })],
    ['a point that is on no curve', keys({ ...publicOf(ec), x: 'AAAA' })],
    ['a key whose alg is not for its type', keys({ ...publicOf(rsa), alg: 'ECDH-ES' })],
    ['a key that only signs', keys(publicOf(generateKeyPairSync('ed25519')))],
  ])('has no key that is %s', async (_what, jwks) => {
    const input = { ...orders(), jwks, accessTokenEncryptionAlg: 'ECDH-ES' }
    expect(await codeOf(create(input))).not.toBe('resources.inconsistent')
    expect(await resources().findByIndicator(input.indicator)).toBeUndefined()
  })

  it('is refused a constraint or algorithm that is none', async () => {
    for (const input of [
      { requiredSenderConstraint: 'tls' },
      { accessTokenEncryptionAlg: 'dir' },
      { tokenAlgorithm: 'HS256' },
    ])
      await expect(create({ ...orders(), ...input })).rejects.toThrow()
  })
})
