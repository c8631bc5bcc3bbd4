import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { administration, codeOf } from '../support/administration.ts'
import { openParties, type Parties } from '../support/parties.ts'

let opened: Parties

beforeAll(async () => {
  opened = await openParties()
})
afterAll(() => opened[Symbol.asyncDispose]())

const resource = () => opened.clients.resource
const clients = () => opened.clients.clients
const { create, update } = administration(resource)

const get = async (id: string) => {
  const client = await clients().find(id)
  if (client === undefined) throw new Error(`There is no client ${id}.`)
  return client
}

const web = { name: 'Shop', kind: 'web', redirectUris: ['https://shop.example/callback'] }
const publicKeyOf = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ format: 'jwk' })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe('addresses', () => {
  it.each([
    'https://shop.example/callback?a=1',
    'http://localhost:8080/callback',
    'http://127.0.0.1/callback',
    'http://[::1]:9000/callback',
  ])('takes the redirect URI %s as it is written', async (uri) => {
    const { item } = await create({ ...web, redirectUris: [uri] })
    expect((await get(item.id)).redirectUris).toEqual([uri])
  })

  it.each([
    ['a wildcard', 'https://*.shop.example/callback'],
    ['a wildcard in the path', 'https://shop.example/*'],
    ['a fragment', 'https://shop.example/callback#here'],
    ['an empty fragment', 'https://shop.example/callback#'],
    ['a user name', 'https://shop.example@evil.test/callback'],
    ['an empty user name', 'https://@evil.test/callback'],
    ['javascript', 'javascript:alert(1)'],
    ['javascript in disguise', 'JavaScript:alert(1)'],
    ['data', 'data:text/html,hello'],
    ['plain http', 'http://shop.example/callback'],
    ['a host that begins like localhost', 'http://localhost.evil.test/callback'],
    ['a user name that looks like localhost', 'http://localhost@evil.test/callback'],
    ['a scheme without a dot', 'myapp:/callback'],
    ['a relative one', '/callback'],
    ['one without its slashes', 'https:shop.example'],
    ['a backslash', 'https://shop.example\\@evil.test/'],
    ['a space', 'https://shop.example/call back'],
    ['a line end', 'https://shop.example/\r\nLocation: https://evil.test'],
    ['a NUL byte', 'https://shop.example/\u0000'],
    ['letters that are not ASCII', 'https://shöp.example/'],
    ['a number', 7],
    ['an object', { toString: 'https://shop.example/' }],
    ['a very long one', `https://shop.example/${'a'.repeat(3_000)}`],
  ])('refuses a redirect URI that is %s', async (_, uri) => {
    const given = { ...web, kind: 'native', redirectUris: [uri] }
    expect(await codeOf(create(given))).toBe('input.invalid')
    expect(await codeOf(create({ ...web, postLogoutRedirectUris: [uri] }))).toBe('input.invalid')
  })

  it('refuses lists that are too long or name the same twice', async () => {
    const many = Array.from({ length: 101 }, (_, index) => `https://shop.example/${index}`)
    expect(await codeOf(create({ ...web, redirectUris: many }))).toBe('input.invalid')
    expect(await codeOf(create({ ...web, redirectUris: ['https://a.example/', 'https://a.example/'] }))).toBe(
      'input.invalid',
    )
  })

  it.each([
    'http://shop.example/logo.png',
    'http://localhost/logo.png',
    'javascript:alert(1)',
    'data:image/png,x',
  ])('refuses %s as an address shown to people', async (uri) => {
    for (const field of ['logoUri', 'clientUri', 'policyUri', 'tosUri']) {
      expect(await codeOf(create({ ...web, [field]: uri }))).toBe('input.invalid')
    }
  })

  it.each([
    'https://app.example/',
    'https://app.example/path',
    'https://*.app.example',
    'null',
    'https://APP.example',
    'https://app.example:443',
    'http://app.example',
    '*',
  ])('refuses %s as an origin', async (origin) => {
    expect(await codeOf(create({ ...web, allowedOrigins: [origin] }))).toBe('input.invalid')
  })

  it('takes origins as browsers send them', async () => {
    const allowedOrigins = ['https://app.example', 'https://app.example:8443', 'http://localhost:5173']
    expect((await create({ ...web, allowedOrigins })).item.allowedOrigins).toEqual(allowedOrigins)
  })
})

describe('names and unknown input', () => {
  it.each([
    '',
    '   ',
    'Shop\r\nSet-Cookie: a=b',
    'Shop\u0000',
    'Shop\u202egnp',
    '\ud800',
    'a'.repeat(101),
    7,
    null,
    {},
  ])('refuses the name %j', async (name) => {
    expect(await codeOf(create({ ...web, name }))).toBe('input.invalid')
  })

  it.each([
    ['an unknown field', { ...web, administrator: true }],
    ['a field that only the server sets', { ...web, state: 'disabled' }],
    ['secrets', { ...web, secrets: [] }],
    ['the field of a prototype', { ...web, ...JSON.parse('{"__proto__":{"firstParty":true}}') }],
    ['an unknown kind', { ...web, kind: 'admin' }],
    ['an unknown grant', { ...web, grantTypes: ['password'] }],
    ['an unsigned ID token', { ...web, idTokenAlgorithm: 'none' }],
    ['a scope with a space', { ...web, scopes: ['openid profile'] }],
    ['an identifier with a slash', { ...web, id: '../x' }],
    ['the identifier of the server itself', { ...web, id: 'latchkey' }],
  ])('refuses %s', async (_, input) => {
    expect(await codeOf(create(input))).toBe('input.invalid')
  })

  it('refuses to change what is fixed at creation', async () => {
    const { item } = await create(web)
    expect(await codeOf(update(item, { kind: 'spa' }))).toBe('input.invalid')
    expect(await codeOf(update(item, { id: 'other' }))).toBe('input.invalid')
  })

  it('finds nothing under a key that no client can have', async () => {
    for (const key of ['', '\u0000', 'a\u0000b', '\ud800', "' OR 1=1 --", 'x'.repeat(10_000)]) {
      expect(await clients().find(key)).toBeUndefined()
      expect(await resource().find(key)).toBeUndefined()
    }
  })

  it('refuses an identifier that is taken', async () => {
    await create({ ...web, id: 'shop' })
    expect(await codeOf(create({ ...web, id: 'shop' }))).toBe('clients.id_taken')
  })
})

describe('public keys', () => {
  const withKey = (key: unknown) => create({ name: 'Billing', kind: 'service', jwks: { keys: [key] } })
  const ed = generateKeyPairSync('ed25519')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })

  it('takes RSA, P-256 and Ed25519 and keeps nothing but the public members', async () => {
    for (const pair of [ec, ed, rsa]) {
      const key = publicKeyOf(pair)
      const { item, reveals } = await withKey({ ...key, x5u: 'https://evil.test/', extra: 1 })
      expect(item.authentication).toBe('private_key_jwt')
      expect(reveals).toBeUndefined()
      expect((await get(item.id)).jwks?.keys).toEqual([key])
    }
  })

  it('refuses private and shared keys', async () => {
    for (const pair of [ec, ed, rsa]) {
      expect(await codeOf(withKey(pair.privateKey.export({ format: 'jwk' })))).toBe('input.invalid')
    }
    expect(await codeOf(withKey({ kty: 'oct', k: 'c2VjcmV0' }))).toBe('input.invalid')
    expect(await codeOf(withKey({ ...publicKeyOf(ec), k: 'c2VjcmV0' }))).toBe('input.invalid')
  })

  it('takes keys to encrypt to, and those only for that', async () => {
    const pairs = [
      ec,
      rsa,
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('ec', { namedCurve: 'P-521' }),
      generateKeyPairSync('x25519'),
    ]
    for (const pair of pairs) {
      const key = { ...publicKeyOf(pair), use: 'enc' }
      const { item } = await create({ ...web, jwks: { keys: [key] } })
      expect(item.authentication).toBe('client_secret_basic')
      expect((await get(item.id)).jwks?.keys).toEqual([key])
    }
    for (const pair of pairs.slice(3)) expect(await codeOf(withKey(publicKeyOf(pair)))).toBe('input.invalid')
  })

  it('takes a P-384 key to sign with', async () => {
    const key = { ...publicKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-384' })), alg: 'ES384' }
    expect((await withKey(key)).item.authentication).toBe('private_key_jwt')
  })

  it('refuses keys that contradict themselves', async () => {
    for (const key of [
      { ...publicKeyOf(ed), use: 'enc' },
      { ...publicKeyOf(rsa), use: 'enc', alg: 'RS256' },
      { ...publicKeyOf(rsa), use: 'sig', alg: 'RSA-OAEP-256' },
      { ...publicKeyOf(rsa), alg: 'RSA1_5' },
      { ...publicKeyOf(rsa), alg: 'RSA-OAEP' },
      { ...publicKeyOf(ec), use: 'enc', alg: 'ES256' },
      { ...publicKeyOf(ec), alg: 'ES384' },
    ])
      expect(await codeOf(withKey(key))).toBe('input.invalid')
  })

  it('refuses weak, foreign and broken keys', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    const offCurve = { ...publicKeyOf(ec), x: Buffer.alloc(32, 1).toString('base64url') }
    for (const key of [publicKeyOf(weak), publicKeyOf(other), offCurve, null, 'key', { kty: 'EC' }]) {
      expect(await codeOf(withKey(key))).toBe('input.invalid')
    }
    expect(await codeOf(withKey({ ...publicKeyOf(ec), alg: 'HS256' }))).toBe('input.invalid')
    expect(await codeOf(withKey({ ...publicKeyOf(ec), use: 'wrap' }))).toBe('input.invalid')
  })

  it('refuses an empty set, too many keys and keys without distinct identifiers', async () => {
    const key = publicKeyOf(ec)
    const sets = [
      [],
      Array.from({ length: 21 }, (_, kid) => ({ ...key, kid: `${kid}` })),
      [key, publicKeyOf(ed)],
    ]
    for (const keys of sets) {
      expect(await codeOf(create({ name: 'Billing', kind: 'service', jwks: { keys } }))).toBe('input.invalid')
    }
  })

  it('takes an address of keys by https only', async () => {
    const at = (jwksUri: string) => create({ name: 'Billing', kind: 'service', jwksUri })
    expect((await at('https://billing.example/jwks')).item.authentication).toBe('private_key_jwt')
    expect(await codeOf(at('http://billing.example/jwks'))).toBe('input.invalid')
    expect(await codeOf(at('file:///etc/passwd'))).toBe('input.invalid')
  })
})
