import { z } from 'zod'
import { distinct } from '../../../kernel/fields.ts'
import { profileNames, profiles, responseModes, responseTypes } from '../profiles.ts'
import { type ProtocolField, protocolField } from './field.ts'

const oneOf = <const Values extends readonly string[]>(values: Values) =>
  z.enum(values, `must be one of ${values.join(', ')}`)

/** An empty list says nothing, so that what was said can be taken away. */
const orNothing = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list)

const profileTexts = profileNames.map((name) => `${name} (${profiles[name].documentation})`)

/** What a client may sign its assertions with (RFC 7518 §3.1, RFC 8037, RFC 9864). */
export const assertionAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const

/** Which security profile a client keeps to, and what it may do beyond or short of it. */
export const profileFields = {
  profile: protocolField(
    oneOf(profileNames),
    `The security profile it keeps to: ${profileTexts.join('; ')}. oauth-2.1 when nothing is said. The fields below can be stricter than the profile, never laxer.`,
  ),
  requirePushedAuthorizationRequests: protocolField(
    z.boolean(),
    'Its authorization requests must be pushed (RFC 9126), so that nobody can change them on the way.',
  ),
  requireSignedRequestObject: protocolField(
    z.boolean(),
    'Its authorization requests must be signed (RFC 9101). Needs jwks or jwksUri.',
  ),
  dpopBoundAccessTokens: protocolField(
    z.boolean(),
    'Its access tokens work only together with a key that it holds (DPoP, RFC 9449).',
  ),
  tlsClientCertificateBoundAccessTokens: protocolField(
    z.boolean(),
    'Its access tokens work only over connections with its TLS certificate (RFC 8705 §3).',
  ),
  tokenEndpointAuthSigningAlg: protocolField(
    oneOf(assertionAlgorithms),
    'The one algorithm with which it signs the assertions that prove who it is. For private_key_jwt.',
  ),
  responseTypes: protocolField(
    distinct(oneOf(responseTypes), responseTypes.length).transform(orNothing),
    'The response types it may use. code when nothing is said; others need the profile fapi-1-advanced or legacy.',
  ),
  responseModes: protocolField(
    distinct(oneOf(responseModes), responseModes.length).transform(orNothing),
    'The response modes it may use. Those of its profile when nothing is said.',
  ),
} as const satisfies Readonly<Record<string, ProtocolField>>
