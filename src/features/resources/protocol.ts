/**
 * What the protocol knows of an API beyond its columns; stored together as one JSON object. `null` takes a value away.
 */
import { createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { tokenClaims } from '../../kernel/declared-claims.ts'
import { distinct } from '../../kernel/fields.ts'
import type { Field } from '../../kernel/resource.ts'

export const senderConstraints = ['none', 'dpop', 'mtls', 'any'] as const
export const encryptionAlgorithms = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const
export const encryptionMethods = ['A128GCM', 'A256GCM', 'A128CBC-HS256', 'A256CBC-HS512'] as const

const minimumRsaBits = 2_048
/** Members that only a private or a shared key has (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const shared = {
  kid: z.string().min(1).max(256).optional(),
  use: z.literal('enc', 'must be enc').optional(),
  alg: z.enum(encryptionAlgorithms).optional(),
}

const encryptionJwk = z
  .unknown()
  .refine(
    (value) =>
      typeof value !== 'object' ||
      value === null ||
      !privateMembers.some((name) => Object.hasOwn(value, name)),
    'is a private or shared key: give its public part only, and replace it, as it has been shown',
  )
  .pipe(
    z.discriminatedUnion(
      'kty',
      [
        z.object({ kty: z.literal('RSA'), n: z.string().max(2_048), e: z.string().max(16), ...shared }),
        z.object({
          kty: z.literal('EC'),
          crv: z.enum(['P-256', 'P-384', 'P-521'], 'must be P-256, P-384 or P-521'),
          x: z.string().max(128),
          y: z.string().max(128),
          ...shared,
        }),
        z.object({
          kty: z.literal('OKP'),
          crv: z.literal('X25519', 'must be X25519'),
          x: z.string().max(128),
          ...shared,
        }),
      ],
      'must be a public key of type RSA, EC or OKP (X25519)',
    ),
  )
  .refine(
    isUsable,
    `encrypts nothing: it must be a point of its curve, or RSA of at least ${minimumRsaBits} bits`,
  )

/** One key, as it is the server that chooses. */
const encryptionJwks = z.strictObject({
  keys: z.array(encryptionJwk).length(1, 'must have exactly one key, the one to encrypt to'),
})

function isUsable(key: { readonly kty: string }): boolean {
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key, format: 'jwk' })
    return key.kty !== 'RSA' || (asymmetricKeyDetails?.modulusLength ?? 0) >= minimumRsaBits
  } catch {
    return false
  }
}

const protocolField = <Schema extends z.ZodType>(schema: Schema, documentation: string) =>
  ({ schema: schema.nullish(), documentation, writable: 'always', optional: true }) as const

export const resourceProtocolFields = {
  requiredSenderConstraint: protocolField(
    z.enum(senderConstraints, `must be one of ${senderConstraints.join(', ')}`),
    'To what its access tokens must be bound, so that a stolen one is worth nothing: dpop (RFC 9449), mtls (RFC 8705), any of the two, or none. None when nothing is said.',
  ),
  claims: protocolField(
    tokenClaims,
    'Claims of access tokens for it: a list of { claim, from, value }. from is fixed, with a value; user.<claim>; or profile.<field>.',
  ),
  authorizationDetailsTypes: protocolField(
    distinct(z.string().min(1, 'must not be empty').max(200, 'must have at most 200 characters'), 100),
    'The registered types of authorization details that it understands (RFC 9396); its tokens hold no other. None when nothing is said.',
  ),
  accessTokenEncryptionAlg: protocolField(
    z.enum(encryptionAlgorithms, `must be one of ${encryptionAlgorithms.join(', ')}`),
    'How the key is wrapped with which JWT access tokens for it are encrypted after they are signed. Needs jwks.',
  ),
  accessTokenEncryptionEnc: protocolField(
    z.enum(encryptionMethods, `must be one of ${encryptionMethods.join(', ')}`),
    'With what encrypted access tokens are encrypted. A128CBC-HS256 when nothing is said.',
  ),
  jwks: protocolField(
    encryptionJwks,
    'The public key of the API to which access tokens are encrypted, as a JSON Web Key Set of one key.',
  ),
} as const satisfies Readonly<Record<string, Field>>

type Fields = typeof resourceProtocolFields

/** Each value, or `undefined` where nothing was said. */
export type ResourceProtocol = {
  readonly [Name in keyof Fields]?: NonNullable<z.output<Fields[Name]['schema']>> | undefined
}

/** The protocol's part of a resource or draft, without what was not said. */
export const resourceProtocolOf = (resource: ResourceProtocol): ResourceProtocol =>
  Object.fromEntries(
    Object.keys(resourceProtocolFields).flatMap((name) => {
      const value = resource[name as keyof ResourceProtocol]
      return value === undefined || value === null ? [] : [[name, value]]
    }),
  )

interface Draft extends ResourceProtocol {
  readonly tokenFormat: string
  readonly accessTokenTtlSeconds: number
}

interface Limits {
  readonly accessTokenMaximumSeconds: number
}

/** What does not fit together in a resource, as a sentence that says what to do; `undefined` where all does. */
export const resourceFault = (draft: Draft, limits: Limits): string | undefined =>
  [lifetimeFault(draft, limits), ...encryptionFaults(draft)].find((fault) => fault !== undefined)

const lifetimeFault = (
  { accessTokenTtlSeconds: asked }: Draft,
  { accessTokenMaximumSeconds: most }: Limits,
): string | undefined =>
  asked > most
    ? `accessTokenTtlSeconds is ${asked}, and the server allows at most ${most}. Give less, or raise the server's own limit first.`
    : undefined

function encryptionFaults(draft: Draft): readonly (string | undefined)[] {
  const { tokenFormat, jwks, accessTokenEncryptionAlg: alg, accessTokenEncryptionEnc: enc } = draft
  const key = jwks?.keys[0]
  return [
    alg !== undefined && tokenFormat === 'opaque'
      ? 'Opaque tokens say nothing, so there is nothing to encrypt. Choose tokenFormat jwt, or leave accessTokenEncryptionAlg out.'
      : undefined,
    alg !== undefined && key === undefined
      ? 'Encrypting access tokens needs the public key of the API. Give jwks.'
      : undefined,
    alg === undefined && (enc !== undefined || key !== undefined)
      ? 'jwks and accessTokenEncryptionEnc are for encrypted access tokens. Give accessTokenEncryptionAlg, too, or leave them out.'
      : undefined,
    alg !== undefined && key !== undefined && alg.startsWith('RSA') !== (key.kty === 'RSA')
      ? `${alg} does not go with a key of type ${key.kty}. Choose an algorithm of its type.`
      : undefined,
    alg !== undefined && key?.alg !== undefined && key.alg !== alg
      ? `The key is for ${key.alg} and not for ${alg}. Make the two the same.`
      : undefined,
  ]
}
