import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { administration, codeOf } from '../support/administration.ts'
import { openParties, type Parties } from '../support/parties.ts'

let opened: Parties
beforeAll(async () => {
  opened = await openParties()
})
afterAll(() => opened[Symbol.asyncDispose]())

const { create, update } = administration(() => opened.clients.resource)
const web = { name: 'Shop', kind: 'web', redirectUris: ['https://shop.example/callback'] }
const publicJwk = (pair: { readonly publicKey: import('node:crypto').KeyObject }) =>
  pair.publicKey.export({ format: 'jwk' })
const rsa = publicJwk(generateKeyPairSync('rsa', { modulusLength: 2_048 }))
const ec = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const ed = publicJwk(generateKeyPairSync('ed25519'))
const keys = (...all: readonly object[]) => ({
  jwks: { keys: all.map((key, kid) => ({ kid: `${kid}`, ...key })) },
})
const secret = { authentication: 'client_secret_basic' }

describe('signatures and encryption of a client', () => {
  it.each<[string, object]>([
    [
      'encrypted ID tokens with a key',
      { ...keys({ ...rsa, use: 'enc' }), idTokenEncryptedResponseAlg: 'RSA-OAEP-256' },
    ],
    ['a key for everything', { ...keys(ec), ...secret, userinfoEncryptedResponseAlg: 'ECDH-ES+A256KW' }],
    [
      'keys at an address',
      { jwksUri: 'https://shop.example/jwks', introspectionEncryptedResponseAlg: 'ECDH-ES' },
    ],
    ['signed requests', { ...keys(ed), ...secret, requestObjectSigningAlg: 'EdDSA' }],
    [
      'signed answers without keys',
      { userinfoSignedResponseAlg: 'PS256', authorizationSignedResponseAlg: 'ES256' },
    ],
    [
      'requests encrypted for the server',
      { requestObjectEncryptionAlg: 'ECDH-ES', requestObjectEncryptionEnc: 'A256GCM' },
    ],
    ['pairwise subjects', { subjectType: 'pairwise' }],
    [
      'two redirect URIs of one host',
      { subjectType: 'pairwise', redirectUris: ['https://a.example/1', 'https://a.example/2'] },
    ],
  ])('takes %s', async (_what, input) => {
    const { item } = await create({ ...web, ...input })
    expect(item).toMatchObject(input)
  })

  it('takes keys of who proves nothing by them', async () => {
    const { item } = await create({ ...web, kind: 'spa', ...keys(ec), requestObjectSigningAlg: 'ES256' })
    expect(item.authentication).toBe('none')
  })

  it.each<[string, object]>([
    ['encryption without keys', { idTokenEncryptedResponseAlg: 'RSA-OAEP-256' }],
    [
      'encryption with a key of another kind',
      { ...keys(ec), ...secret, idTokenEncryptedResponseAlg: 'RSA-OAEP-256' },
    ],
    [
      'encryption with a key that signs',
      { ...keys({ ...rsa, use: 'sig' }), idTokenEncryptedResponseAlg: 'RSA-OAEP-256' },
    ],
    ['encryption with Ed25519', { ...keys(ed), ...secret, userinfoEncryptedResponseAlg: 'ECDH-ES' }],
    ['a cipher without encryption', { authorizationEncryptedResponseEnc: 'A256GCM' }],
    ['signed requests without keys', { requestObjectSigningAlg: 'ES256' }],
    ['signed requests with another key', { ...keys(rsa), ...secret, requestObjectSigningAlg: 'ES256' }],
    [
      'signed requests with a key that encrypts',
      { ...keys({ ...ec, use: 'enc' }), requestObjectSigningAlg: 'ES256' },
    ],
    ['a sector of public subjects', { sectorIdentifierUri: 'https://shop.example/sector' }],
    [
      'two hosts without a sector',
      { subjectType: 'pairwise', redirectUris: ['https://a.example/1', 'https://b.example/1'] },
    ],
    ['pairwise subjects of nobody', { kind: 'service', redirectUris: [], subjectType: 'pairwise' }],
    [
      'native pairwise subjects without a sector',
      { kind: 'native', redirectUris: ['http://127.0.0.1/cb'], subjectType: 'pairwise' },
    ],
    [
      'an own scheme without a sector',
      { kind: 'native', redirectUris: ['com.example.app:/cb'], subjectType: 'pairwise' },
    ],
  ])('refuses %s', async (_what, input) => {
    expect(await codeOf(create({ ...web, ...input }))).toBe('clients.inconsistent')
  })

  it.each<[string, object]>([
    ['RSA1_5', { idTokenEncryptedResponseAlg: 'RSA1_5' }],
    ['RSA-OAEP with SHA-1', { idTokenEncryptedResponseAlg: 'RSA-OAEP' }],
    ['a shared key', { userinfoEncryptedResponseAlg: 'dir' }],
    ['a key wrapped by the secret', { userinfoEncryptedResponseAlg: 'A256KW' }],
    ['a signature by the secret', { requestObjectSigningAlg: 'HS256' }],
    ['no signature', { userinfoSignedResponseAlg: 'none' }],
    ['a sector by http', { subjectType: 'pairwise', sectorIdentifierUri: 'http://shop.example/sector' }],
  ])('does not know %s', async (_what, input) => {
    expect(await codeOf(create({ ...web, ...input }))).toBe('input.invalid')
  })

  it('refuses to take the keys away that something is encrypted with', async () => {
    const { item } = await create({
      ...web,
      ...keys({ ...ec, use: 'enc' }),
      idTokenEncryptedResponseAlg: 'ECDH-ES',
    })
    expect(await codeOf(update(item, { jwks: null }))).toBe('clients.inconsistent')
    expect(await codeOf(update(item, { jwks: null, idTokenEncryptedResponseAlg: null }))).toBe('no error')
  })
})
