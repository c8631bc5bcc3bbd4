import { z } from 'zod'
import { httpsUri } from '../../../kernel/fields.ts'
import { idTokenAlgorithms } from '../kinds.ts'
import { type ProtocolField, protocolField } from './field.ts'

/** What requests may be signed with (RFC 7518 §3.1, RFC 8037, RFC 9864); the keys are the client's own. */
const requestAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const
/** Only with public keys: secrets are stored hashed, so nothing can be encrypted with one (RFC 7518 §4.1). */
const keyAlgorithms = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const
const contentAlgorithms = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'] as const
const subjectTypes = ['public', 'pairwise'] as const

const oneOf = <const Values extends readonly string[]>(values: Values) =>
  z.enum(values, `must be one of ${values.join(', ')}`)

const signed = (what: string) =>
  protocolField(
    oneOf(idTokenAlgorithms),
    `With what ${what} signed: ${idTokenAlgorithms.join(', ')}. RS256 when nothing is said.`,
  )
const encrypted = (what: string) =>
  protocolField(
    oneOf(keyAlgorithms),
    `By what ${what} encrypted to a key of the client in jwks or jwksUri: ${keyAlgorithms.join(', ')}. Not encrypted when nothing is said.`,
  )
const content = (what: string) =>
  protocolField(
    oneOf(contentAlgorithms),
    `The cipher of ${what}: ${contentAlgorithms.join(', ')}. A128CBC-HS256 when nothing is said.`,
  )

/** With what is signed and encrypted for a client and by it. */
export const encryptionFields = {
  requestObjectSigningAlg: protocolField(
    oneOf(requestAlgorithms),
    `The one algorithm with which it signs its requests (RFC 9101): ${requestAlgorithms.join(', ')}. Any of them when nothing is said.`,
  ),
  requestObjectEncryptionAlg: protocolField(
    oneOf(keyAlgorithms),
    `The one way in which its requests are encrypted, where they are, to a key of the server's jwks with use enc: ${keyAlgorithms.join(', ')}.`,
  ),
  requestObjectEncryptionEnc: content('encrypted requests'),
  idTokenEncryptedResponseAlg: encrypted('ID tokens are'),
  idTokenEncryptedResponseEnc: content('encrypted ID tokens'),
  userinfoSignedResponseAlg: protocolField(
    oneOf(idTokenAlgorithms),
    `With what user information is signed: ${idTokenAlgorithms.join(', ')}. Not signed when nothing is said, but as ID tokens are where it is encrypted.`,
  ),
  userinfoEncryptedResponseAlg: encrypted('user information is'),
  userinfoEncryptedResponseEnc: content('encrypted user information'),
  authorizationSignedResponseAlg: signed('authorization responses (response mode jwt) are'),
  authorizationEncryptedResponseAlg: encrypted('authorization responses (response mode jwt) are'),
  authorizationEncryptedResponseEnc: content('encrypted authorization responses'),
  introspectionSignedResponseAlg: signed('answers about tokens are, where it asks for a JWT (RFC 9701),'),
  introspectionEncryptedResponseAlg: encrypted('answers about tokens (RFC 9701) are'),
  introspectionEncryptedResponseEnc: content('encrypted answers about tokens'),
  subjectType: protocolField(
    oneOf(subjectTypes),
    'How it knows people: public, the identifier that all such clients share; pairwise, one that no other sector sees. public when nothing is said. A change gives everybody another identifier.',
  ),
  sectorIdentifierUri: protocolField(
    httpsUri,
    'Which clients share pairwise identifiers: those with this host. https only; a JSON array there lists all their redirect URIs (OpenID Connect Core 1.0 §8.1).',
  ),
} as const satisfies Readonly<Record<string, ProtocolField>>
