import { createPublicKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'

const minimumRsaBits = 2_048
const maximumKeys = 20
/** Members that only a private or a shared key has (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const kid = z.string().min(1).max(256).optional()
const use = z.enum(['sig', 'enc'], 'must be sig or enc').optional()
/** RFC 7517 §4.7: the certificate of the key, and those above it. What a client shows that proves itself by it. */
const x5c = z.array(z.base64('must be base64').max(16_384)).min(1).max(8).optional()
const coordinate = z.string().max(128)
const wraps = ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const
const named = <const Names extends readonly string[]>(names: Names) =>
  z.enum(names, `must be ${names.join(', ')}`).optional()

const curves = z.discriminatedUnion(
  'crv',
  [
    z.object({
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      x: coordinate,
      y: coordinate,
      alg: named(['ES256', ...wraps]),
      use,
      kid,
      x5c,
    }),
    z.object({
      kty: z.literal('EC'),
      crv: z.literal('P-384'),
      x: coordinate,
      y: coordinate,
      alg: named(['ES384', ...wraps]),
      use,
      kid,
      x5c,
    }),
    z.object({
      kty: z.literal('EC'),
      crv: z.literal('P-521'),
      x: coordinate,
      y: coordinate,
      alg: named(wraps),
      use: z.literal('enc', 'must be enc: nothing is signed with P-521'),
      kid,
    }),
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: coordinate,
      alg: named(['EdDSA', 'Ed25519']),
      use: z.literal('sig', 'must be sig: Ed25519 signs').optional(),
      kid,
      x5c,
    }),
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('X25519'),
      x: coordinate,
      alg: named(wraps),
      use: z.literal('enc', 'must be enc: X25519 does not sign'),
      kid,
    }),
  ],
  'must be P-256, P-384, Ed25519, or to encrypt P-521 or X25519',
)

/** Members that are not public key material, such as `x5u`, are dropped: they are never followed. */
const publicJwk = z
  .union(
    [
      z.object({
        kty: z.literal('RSA'),
        n: z.string().max(2_048),
        e: z.string().max(16),
        alg: named(['RS256', 'PS256', 'RSA-OAEP-256']),
        use,
        kid,
        x5c,
      }),
      curves,
    ],
    'must be a public key of type RSA, EC (P-256, P-384, P-521) or OKP (Ed25519, X25519)',
  )
  .refine(
    ({ alg, use: purpose }) =>
      alg === undefined || purpose === undefined || (purpose === 'enc') === encrypts(alg),
    'says in use what its alg does not do',
  )

const encrypts = (alg: string): boolean => alg.startsWith('RSA-OAEP') || alg.startsWith('ECDH')

export type PublicJwk = z.infer<typeof publicJwk>

const hasNoPrivateMember = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || !privateMembers.some((name) => Object.hasOwn(value, name))

const jwk = z
  .unknown()
  .refine(
    hasNoPrivateMember,
    'is a private or shared key: give its public part only, and replace it, as it has been shown',
  )
  .pipe(publicJwk)
  .refine(
    isUsable,
    `does not verify anything: it must be a point of its curve, or RSA of at least ${minimumRsaBits} bits`,
  )
  .refine(
    hasItsCertificate,
    'has an x5c that does not begin with the certificate of this key (RFC 7517 §4.7)',
  )

/** A set of public keys (RFC 7517 §5): what a client signs is verified with them, and what is for it alone encrypted. */
export const publicJwks = z
  .strictObject({
    keys: z.array(jwk).min(1, 'must have a key').max(maximumKeys, `must have at most ${maximumKeys} keys`),
  })
  .refine(
    ({ keys }) => keys.length === 1 || new Set(keys.map(({ kid }) => kid ?? '')).size === keys.length,
    'must give each key a kid of its own',
  )

export type PublicJwks = z.infer<typeof publicJwks>

function isUsable(key: PublicJwk): boolean {
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key, format: 'jwk' })
    return key.kty !== 'RSA' || (asymmetricKeyDetails?.modulusLength ?? 0) >= minimumRsaBits
  } catch {
    return false
  }
}

function hasItsCertificate(key: PublicJwk): boolean {
  const [own] = 'x5c' in key ? (key.x5c ?? []) : []
  if (own === undefined) return true
  try {
    const certificate = new X509Certificate(Buffer.from(own, 'base64'))
    return certificate.publicKey.equals(createPublicKey({ key, format: 'jwk' }))
  } catch {
    return false
  }
}

const curveOf: Readonly<Record<string, string>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  EdDSA: 'Ed25519',
  Ed25519: 'Ed25519',
}

const mayServe = (key: PublicJwk, purpose: 'sig' | 'enc', algorithm: string): boolean =>
  (key.use === undefined || key.use === purpose) && (key.alg === undefined || key.alg === algorithm)

/** Whether a signature of this algorithm could be one of the key's. */
export const signsWith = (key: PublicJwk, algorithm: string): boolean => {
  if (!mayServe(key, 'sig', algorithm)) return false
  if (key.kty === 'RSA') return algorithm === 'RS256' || algorithm === 'PS256'
  return key.crv === curveOf[algorithm]
}

/** Whether something can be encrypted to the key by this algorithm. */
export const encryptsWith = (key: PublicJwk, algorithm: string): boolean => {
  if (!mayServe(key, 'enc', algorithm)) return false
  if (key.kty === 'RSA') return algorithm === 'RSA-OAEP-256'
  return key.crv !== 'Ed25519' && algorithm.startsWith('ECDH-ES')
}

/** Whether a client could sign with it, so that it can prove who it is. */
export const isForSignatures = ({ use: purpose, alg }: PublicJwk): boolean =>
  purpose !== 'enc' && (alg === undefined || !encrypts(alg))
