import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { type Algorithm, encrypts } from './signing-keys.ts'

export interface GeneratedKey {
  /** The key's thumbprint (RFC 7638), so two keys never share a `kid`. */
  readonly kid: string
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

/** RSA keys have 2048 bits, EC keys the curve P-256, EdDSA keys Ed25519. */
export async function generateKey(algorithm: Algorithm): Promise<GeneratedKey> {
  const pair = await generateKeyPair(algorithm, {
    extractable: true,
    modulusLength: 2048,
    crv: curve(algorithm),
  })
  const [privateKey, publicKey] = [await exportJWK(pair.privateKey), await exportJWK(pair.publicKey)]
  const kid = await calculateJwkThumbprint(publicKey)
  const members = { kid, use: encrypts(algorithm) ? 'enc' : 'sig', ...named(algorithm) }
  return { kid, privateJwk: { ...privateKey, ...members }, publicJwk: { ...publicKey, ...members } }
}

const curve = (algorithm: Algorithm): string => (algorithm === 'EdDSA' ? 'Ed25519' : 'P-256')

/** A key agreement serves with and without a wrapped key (RFC 7518 §4.6), so the key names neither. */
const named = (algorithm: Algorithm): { readonly alg?: string } =>
  algorithm === 'ECDH-ES' ? {} : { alg: algorithm }
