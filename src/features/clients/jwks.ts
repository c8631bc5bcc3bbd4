import { createPublicKey } from 'node:crypto'
import { z } from 'zod'

const minimumRsaBits = 2_048
const maximumKeys = 20
/** Members that only a private or a shared key has (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const shared = {
  kid: z.string().min(1).max(256).optional(),
  use: z.literal('sig', 'must be sig').optional(),
}

/** Members that are not public key material, such as `x5u`, are dropped: they are never followed. */
const publicJwk = z.discriminatedUnion(
  'kty',
  [
    z.object({
      kty: z.literal('RSA'),
      n: z.string().max(2_048),
      e: z.string().max(16),
      alg: z.enum(['RS256', 'PS256'], 'must be RS256 or PS256').optional(),
      ...shared,
    }),
    z.object({
      kty: z.literal('EC'),
      crv: z.literal('P-256', 'must be P-256'),
      x: z.string().max(128),
      y: z.string().max(128),
      alg: z.literal('ES256', 'must be ES256').optional(),
      ...shared,
    }),
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519', 'must be Ed25519'),
      x: z.string().max(128),
      alg: z.enum(['EdDSA', 'Ed25519'], 'must be EdDSA').optional(),
      ...shared,
    }),
  ],
  'must be a public key of type RSA, EC (P-256) or OKP (Ed25519)',
)

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

/** A set of public keys (RFC 7517 §5) with which a client's assertions are verified. */
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
