import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encryptsWith,
  isForSignatures,
  type KeyPurpose,
  type PublicJwk,
  publicKeySet,
  signsWith,
} from '../../src/kernel/public-keys.ts'
import { json, text } from '../support/any-input.ts'
import { selfSigned } from '../support/certificates.ts'

const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ecPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const open = ({ publicKey }: { readonly publicKey: KeyObject }) => publicKey.export({ format: 'jwk' })
const rsa = open(rsaPair)
const p256 = open(ecPair)
const p384 = open(generateKeyPairSync('ec', { namedCurve: 'P-384' }))
const p521 = open(generateKeyPairSync('ec', { namedCurve: 'P-521' }))
const ed25519 = open(generateKeyPairSync('ed25519'))
const x25519 = open(generateKeyPairSync('x25519'))

const both = publicKeySet(['sig', 'enc'], 3)
const signing = publicKeySet(['sig'], 3)
const encrypting = publicKeySet(['enc'], 1)
const sets = [both, signing, encrypting]

const parse = (set: typeof both, ...keys: unknown[]) => set.safeParse({ keys })
/** Where the first fault is, and what it is. */
const faultOf = (set: typeof both, ...keys: unknown[]): string | undefined => {
  const { issues: [issue] = [] } = parse(set, ...keys).error ?? {}
  return issue && `${issue.path.join('.')}: ${issue.message}`
}

describe('a key', () => {
  it.each([
    ['RSA', rsa, 'both'],
    ['P-256', p256, 'both'],
    ['P-384', p384, 'both'],
    ['P-521', p521, 'enc'],
    ['Ed25519', ed25519, 'sig'],
    ['X25519', x25519, 'enc'],
  ] as const)('of %s is taken for what it can do', (_name, key, able) => {
    const does = (purpose: KeyPurpose): boolean => able === 'both' || able === purpose
    expect(parse(signing, key).success).toBe(does('sig'))
    expect(parse(encrypting, key).success).toBe(does('enc'))
    for (const use of ['sig', 'enc'] as const) {
      expect(parse(both, { ...key, use }).success).toBe(does(use))
      expect(parse(signing, { ...key, use }).success).toBe(use === 'sig' && does('sig'))
      expect(parse(encrypting, { ...key, use }).success).toBe(use === 'enc' && does('enc'))
    }
    // Among keys that may verify, one that cannot must say so.
    expect(parse(both, key).success).toBe(does('sig'))
  })

  it.each([
    ['RSA', rsa, ['RS256', 'PS256'], ['RSA-OAEP-256']],
    ['P-256', p256, ['ES256'], ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW']],
    ['P-384', p384, ['ES384'], ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW']],
    ['P-521', p521, [], ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW']],
    ['Ed25519', ed25519, ['EdDSA', 'Ed25519'], []],
    ['X25519', x25519, [], ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW']],
  ] as const)('of %s says in alg only what such a key does', (_name, key, signs, encrypts) => {
    const all = ['RS256', 'RS384', 'PS256', 'ES256', 'ES384', 'ES512', 'ES256K', 'EdDSA', 'Ed25519', 'HS256']
    const none = ['none', '', 'dir', 'A128KW', 'RSA1_5', 'RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', '__proto__']
    for (const alg of [...all, ...none, 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW']) {
      const [isSig, isEnc] = [signs, encrypts].map((names) => (names as readonly string[]).includes(alg))
      expect([alg, parse(signing, { ...key, alg }).success]).toEqual([alg, isSig])
      expect([alg, parse(encrypting, { ...key, alg }).success]).toEqual([alg, isEnc])
      for (const [use, does] of [
        ['sig', isSig],
        ['enc', isEnc],
      ] as const) {
        expect([alg, use, parse(both, { ...key, use, alg }).success]).toEqual([alg, use, does])
        const read = { ...key, use } as PublicJwk
        expect([alg, (use === 'sig' ? signsWith : encryptsWith)(read, alg)]).toEqual([alg, does])
        expect((use === 'sig' ? encryptsWith : signsWith)(read, alg)).toBe(false)
      }
    }
    expect(isForSignatures({ ...key, alg: signs[0] } as PublicJwk)).toBe(signs.length > 0)
    expect(isForSignatures({ ...key, use: 'enc' } as PublicJwk)).toBe(false)
    if (encrypts.length > 0) expect(isForSignatures({ ...key, alg: encrypts[0] } as PublicJwk)).toBe(false)
  })

  it.each([
    ['a private RSA key', rsaPair.privateKey.export({ format: 'jwk' })],
    ['a private EC key', ecPair.privateKey.export({ format: 'jwk' })],
    ['a shared key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a public key with a secret in it', { ...p256, k: 'c2VjcmV0' }],
    ['one factor of RSA', { ...rsa, p: 'AQAB' }],
    ['a private member that is empty', { ...p256, d: '' }],
    ['a private member that is null', { ...p256, d: null }],
  ])('is never %s', (_what, key) => {
    for (const set of sets) expect(faultOf(set, key)).toMatch(/^keys\.0: is a private or shared key/)
  })

  it.each([
    ['RSA of 1024 bits', open(generateKeyPairSync('rsa', { modulusLength: 1_024 }))],
    ['RSA that is signed by everybody', { ...rsa, e: 'AQ' }],
    ['RSA with an even exponent', { ...rsa, e: 'BA' }],
    ['RSA without an exponent', { ...rsa, e: '' }],
    ['a curve of others', open(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))],
    ['a point beside its curve', { ...p256, y: p256.x }],
    ['a point of another curve', { ...p256, crv: 'P-384' }],
    ['a key of Ed448', open(generateKeyPairSync('ed448'))],
    ['half a key', { kty: 'EC', crv: 'P-256' }],
    ['text', 'key'],
    ['nothing', null],
    ['a list', [p256]],
  ])('is never %s', (_what, key) => {
    for (const set of sets) expect(parse(set, key).success).toBe(false)
  })

  it('keeps nothing but its public members', () => {
    const more = { x5u: 'https://evil.test/', x5t: 'AAAA', jku: 'https://evil.test/', key_ops: ['verify'] }
    const { data } = parse(signing, { ...p256, kid: 'a', use: 'sig', alg: 'ES256', ...more })
    expect(data).toEqual({ keys: [{ ...p256, kid: 'a', use: 'sig', alg: 'ES256' }] })
  })

  it('has the certificate that it says it has', async () => {
    const { jwk } = await selfSigned()
    expect(parse(both, jwk).data).toEqual({ keys: [jwk] })
    expect(faultOf(both, { ...p256, x5c: jwk.x5c })).toMatch(/^keys\.0: has an x5c that does not begin/)
    expect(faultOf(both, { ...p256, x5c: ['MIIB'] })).toMatch(/^keys\.0: has an x5c that does not begin/)
    expect(parse(both, { ...p256, x5c: ['no base64!'] }).success).toBe(false)
  })

  it('tells where its fault is', () => {
    expect(faultOf(signing, rsa, x25519)).toBe('keys.1.crv: must be another one: X25519 does not sign')
    expect(faultOf(encrypting, ed25519)).toBe('keys.0.crv: must be another one: Ed25519 only signs')
    expect(faultOf(both, p521)).toBe('keys.0.use: must be enc: nothing is signed with this curve')
    expect(faultOf(both, { ...p256, use: 'wrap' })).toBe('keys.0.use: must be sig or enc')
    expect(faultOf(signing, { ...rsa, use: 'enc', alg: 'RSA-OAEP-256' })).toBe('keys.0.use: must be sig')
    expect(faultOf(signing, { ...rsa, alg: 'RS512' })).toBe('keys.0.alg: must be RS256, PS256')
    expect(faultOf(both, { ...rsa, use: 'enc', alg: 'RS256' })).toBe(
      'keys.0.use: says what its alg does not do',
    )
  })
})

describe('a set of keys', () => {
  it('has one at least and not too many, each of several with a kid of its own', () => {
    expect(faultOf(both)).toBe('keys: must have a key')
    expect(parse(both, p256).success).toBe(true)
    expect(parse(both, { ...p256, kid: 'a' }, { ...rsa, kid: 'b' }, p384).success).toBe(true)
    expect(faultOf(both, p256, rsa)).toBe(': must give each key a kid of its own')
    expect(faultOf(both, { ...p256, kid: 'a' }, { ...rsa, kid: 'a' })).toBe(
      ': must give each key a kid of its own',
    )
    const many = ['a', 'b', 'c', 'd'].map((kid) => ({ ...p256, kid }))
    expect(faultOf(both, ...many)).toBe('keys: must have at most 3 keys')
    expect(faultOf(encrypting, ...many.slice(2))).toBe('keys: must have exactly one key')
  })

  it('is nothing else', () => {
    for (const given of [null, [], [p256], { ...p256 }, { keys: { 0: p256 } }])
      for (const set of sets) expect(set.safeParse(given).success).toBe(false)
  })

  it('is taken without what else its owner says of it (RFC 7517 §5)', () => {
    const [signing] = sets
    expect(signing?.parse({ keys: [p256], more: 1 })).toEqual({ keys: [p256] })
  })

  it('of any JSON is refused, or holds public members alone', () => {
    const given = fc
      .constantFrom<object>(rsa, p256, p384, p521, ed25519, x25519)
      .chain((key) =>
        fc
          .dictionary(
            fc.oneof(
              fc.constantFrom('kty', 'crv', 'x', 'n', 'e', 'd', 'k', 'use', 'alg', 'kid', 'x5c'),
              text,
            ),
            json,
            { maxKeys: 2 },
          )
          .map((more) => ({ ...key, ...more })),
      )
    const known = /^(kty|n|e|crv|x|y|alg|use|kid|x5c)$/
    const holds = fc.property(fc.oneof(given, json), (key) => {
      for (const set of sets)
        for (const read of parse(set, key).data?.keys ?? [])
          expect(Object.keys(read).filter((name) => !known.test(name))).toEqual([])
    })
    fc.assert(holds, { numRuns: 500 })
  })
})
