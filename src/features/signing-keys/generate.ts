import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { Algorithm } from './signing-keys.ts'

export interface GeneratedKey {
  /** The key's thumbprint (RFC 7638), so two keys never share a `kid`. */
  readonly kid: string
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

/** RSA keys have 2048 bits, EC keys the curve P-256, EdDSA keys Ed25519. */
export async function generateKey(algorithm: Algorithm): Promise<GeneratedKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true, modulusLength: 2048 })
  const [privateKey, publicKey] = [await exportJWK(pair.privateKey), await exportJWK(pair.publicKey)]
  const kid = await calculateJwkThumbprint(publicKey)
  const members = { kid, alg: algorithm, use: 'sig' }
  return { kid, privateJwk: { ...privateKey, ...members }, publicJwk: { ...publicKey, ...members } }
}
