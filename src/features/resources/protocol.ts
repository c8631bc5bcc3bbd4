/**
 * What the protocol knows of an API beyond its columns; stored together as one JSON object. `null` takes a value away.
 */
import { z } from 'zod'
import { tokenClaims } from '../../kernel/declared-claims.ts'
import { distinct } from '../../kernel/fields.ts'
import { publicKeySet } from '../../kernel/public-keys.ts'
import type { Field } from '../../kernel/resource.ts'

export const senderConstraints = ['none', 'dpop', 'mtls', 'any'] as const
export const encryptionAlgorithms = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const
export const encryptionMethods = ['A128GCM', 'A256GCM', 'A128CBC-HS256', 'A256CBC-HS512'] as const

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
    publicKeySet(['enc'], 1),
    'The public key of the API to which access tokens are encrypted, as a JSON Web Key Set of one key: RSA from 2048 bits, P-256, P-384, P-521 or X25519.',
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
