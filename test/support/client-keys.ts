/** Key pairs of a client: what it registers, and what it signs and decrypts with. */
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export interface ClientKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** What goes into `jwks`. */
  readonly publicJwk: JWK
}

export async function clientKey(alg: string, use: 'sig' | 'enc' = 'sig', crv?: string): Promise<ClientKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true, ...(crv && { crv }) })
  const kid = `${alg}-${randomUUID().slice(0, 8)}`
  const named = alg.startsWith('ECDH') ? {} : { alg }
  return {
    kid,
    alg,
    privateKey,
    publicKey,
    publicJwk: { ...(await exportJWK(publicKey)), kid, use, ...named },
  }
}

export const seconds = (): number => Math.floor(Date.now() / 1000)

export const signWith = (
  { privateKey, kid, alg }: Pick<ClientKey, 'privateKey' | 'kid' | 'alg'>,
  claims: JWTPayload,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> => new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

export const unsigned = (claims: unknown, header: unknown = { alg: 'none' }): string =>
  `${encode(header)}.${encode(claims)}.`
