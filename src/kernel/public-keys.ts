/**
 * Public keys that others give (RFC 7517): what they sign is verified with them, and what is for them alone is encrypted to
 * them. What is taken, for any of these purposes, is decided here alone.
 */
import { createPublicKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'

export type KeyPurpose = 'sig' | 'enc'

const minimumRsaBits = 2_048
/** Members that only a private or a shared key has (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** What a key of each type or curve can do (RFC 7518 §3.1, §4.1; RFC 8037; RFC 9864); others are not taken. */
const wraps = ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const
const abilities = {
  RSA: { sig: ['RS256', 'PS256'], enc: ['RSA-OAEP-256'] },
  'P-256': { sig: ['ES256'], enc: wraps },
  'P-384': { sig: ['ES384'], enc: wraps },
  'P-521': { sig: [], enc: wraps },
  Ed25519: { sig: ['EdDSA', 'Ed25519'], enc: [] },
  X25519: { sig: [], enc: wraps },
} as const satisfies Readonly<Record<string, Readonly<Record<KeyPurpose, readonly string[]>>>>

const text = (maximum: number) => z.string().max(maximum)
const coordinate = text(128)
const shared = {
  alg: text(16).optional(),
  use: text(16).optional(),
  kid: z.string().min(1).max(256).optional(),
  /** RFC 7517 §4.7: the certificate of the key, and those above it. What somebody shows who proves himself by it. */
  x5c: z.array(z.base64('must be base64').max(16_384)).min(1).max(8).optional(),
}

/** Members that are not public key material, such as `x5u`, are dropped: they are never followed. */
const keyMaterial = z.discriminatedUnion(
  'kty',
  [
    z.object({ kty: z.literal('RSA'), n: text(2_048), e: text(16), ...shared }),
    z.object({
      kty: z.literal('EC'),
      crv: z.enum(['P-256', 'P-384', 'P-521'], 'must be P-256, P-384 or P-521'),
      x: coordinate,
      y: coordinate,
      ...shared,
    }),
    z.object({
      kty: z.literal('OKP'),
      crv: z.enum(['Ed25519', 'X25519'], 'must be Ed25519 or X25519'),
      x: coordinate,
      ...shared,
    }),
  ],
  'must be a public key of type RSA, EC (P-256, P-384, P-521) or OKP (Ed25519, X25519)',
)

export type PublicJwk = Readonly<z.infer<typeof keyMaterial>>

export interface PublicJwks {
  readonly keys: readonly PublicJwk[]
}

const abilitiesOf = (key: PublicJwk): Readonly<Record<KeyPurpose, readonly string[]>> =>
  abilities[key.kty === 'RSA' ? 'RSA' : key.crv]

const hasNoPrivateMember = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || !privateMembers.some((name) => Object.hasOwn(value, name))

interface Fault {
  readonly member: string
  readonly text: string
}

/** Where what a key says of itself does not fit together, or not what it is given for. */
function faultOf(key: PublicJwk, purposes: readonly KeyPurpose[]): Fault | undefined {
  const able = abilitiesOf(key)
  const uses = purposes.filter((purpose) => able[purpose].length > 0)
  const [only] = uses
  if (only === undefined) {
    const type = key.kty === 'RSA' ? key.kty : key.crv
    const text = `must be another one: ${type} ${able.sig.length > 0 ? 'only signs' : 'does not sign'}`
    return { member: key.kty === 'RSA' ? 'kty' : 'crv', text }
  }
  const { use, alg } = key
  if (use !== undefined && !(uses as readonly string[]).includes(use))
    return { member: 'use', text: `must be ${uses.join(' or ')}` }
  // Whoever looks for a key to verify with takes those that say nothing.
  if (use === undefined && purposes.includes('sig') && only === 'enc')
    return { member: 'use', text: 'must be enc: nothing is signed with this curve' }
  if (alg === undefined) return undefined
  const purpose = uses.find((each) => able[each].includes(alg))
  if (purpose === undefined)
    return { member: 'alg', text: `must be ${uses.flatMap((each) => able[each]).join(', ')}` }
  return use === undefined || use === purpose
    ? undefined
    : { member: 'use', text: 'says what its alg does not do' }
}

/** What is signed by an even exponent, or by 1, is signed by everybody. */
function isUsable(key: PublicJwk): boolean {
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: { ...key }, format: 'jwk' })
    if (key.kty !== 'RSA') return true
    const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {}
    return modulusLength >= minimumRsaBits && publicExponent > 1n && publicExponent % 2n === 1n
  } catch {
    return false
  }
}

function hasItsCertificate(key: PublicJwk): boolean {
  const [own] = key.x5c ?? []
  if (own === undefined) return true
  try {
    const certificate = new X509Certificate(Buffer.from(own, 'base64'))
    return certificate.publicKey.equals(createPublicKey({ key: { ...key }, format: 'jwk' }))
  } catch {
    return false
  }
}

const keyFor = (purposes: readonly KeyPurpose[]) =>
  z
    .unknown()
    .refine(
      hasNoPrivateMember,
      'is a private or shared key: give its public part only, and replace it, as it has been shown',
    )
    .pipe(keyMaterial)
    .superRefine((key, context) => {
      const fault = faultOf(key, purposes)
      if (fault !== undefined) context.addIssue({ code: 'custom', path: [fault.member], message: fault.text })
    })
    .refine(
      isUsable,
      `is none that can be used: it must be a point of its curve, or RSA of at least ${minimumRsaBits} bits`,
    )
    .refine(
      hasItsCertificate,
      'has an x5c that does not begin with the certificate of this key (RFC 7517 §4.7)',
    )

/**
 * A set of public keys (RFC 7517 §5), each for one of these purposes at least, of which there are at most so many. Other
 * members of the set are dropped.
 */
export const publicKeySet = (purposes: readonly [KeyPurpose, ...KeyPurpose[]], maximum: number) =>
  z
    .object({
      keys: z
        .array(keyFor(purposes))
        .min(1, 'must have a key')
        .max(maximum, maximum === 1 ? 'must have exactly one key' : `must have at most ${maximum} keys`),
    })
    .refine(
      ({ keys }) => keys.length === 1 || new Set(keys.map(({ kid }) => kid ?? '')).size === keys.length,
      'must give each key a kid of its own',
    )

const mayServe = (key: PublicJwk, purpose: KeyPurpose, algorithm: string): boolean =>
  (key.use === undefined || key.use === purpose) &&
  (key.alg === undefined || key.alg === algorithm) &&
  abilitiesOf(key)[purpose].includes(algorithm)

/** Whether a signature of this algorithm could be one of the key's. */
export const signsWith = (key: PublicJwk, algorithm: string): boolean => mayServe(key, 'sig', algorithm)

/** Whether something can be encrypted to the key by this algorithm. */
export const encryptsWith = (key: PublicJwk, algorithm: string): boolean => mayServe(key, 'enc', algorithm)

/** Whether its owner could sign with it, so that he can prove who he is. */
export const isForSignatures = (key: PublicJwk): boolean =>
  abilitiesOf(key).sig.some((algorithm) => signsWith(key, algorithm))
