import { z } from 'zod'
import { absoluteUri, displayText, distinct, instant, isHttps, isLoopbackHttp } from '../../kernel/fields.ts'
import { publicKeySet } from '../../kernel/public-keys.ts'
import type { Field } from '../../kernel/resource.ts'
import type { FeatureDefinition } from '../feature.ts'

/** Public keys alone: with a shared key whoever verifies could sign, too. */
export const assertionAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const
export type AssertionAlgorithm = (typeof assertionAlgorithms)[number]

const address = absoluteUri.refine(
  (text) => isHttps(text) || isLoopbackHttp(text),
  'must begin with https:// and have no user name',
)

const issuer = address
  .max(512, 'must have at most 512 characters')
  .refine((text) => !/[?#]/.test(text), 'must have neither a query nor a fragment')

const audience = z.string().regex(/^[\x21-\x7e]{1,512}$/, 'must be 1 to 512 printable characters')

const person = z.strictObject({
  subject: z.string().regex(/^[\x20-\x7e]{1,512}$/, 'must be 1 to 512 printable characters'),
  userId: z.string().regex(/^[\w-]{1,64}$/, 'must be the identifier of a user'),
})

const fields = {
  issuer: {
    schema: issuer,
    documentation:
      'The issuer identifier (iss) of its tokens, compared character by character. It cannot be changed later.',
    writable: 'create',
    column: true,
  },
  name: {
    schema: displayText(100),
    documentation: 'What administrators call it.',
    writable: 'always',
    column: true,
  },
  state: {
    schema: z.enum(['active', 'disabled']),
    documentation: 'Of a disabled one no token is believed.',
    writable: 'never',
    column: true,
  },
  jwksUri: {
    schema: address.nullish(),
    documentation:
      'Where its public keys are. Without it and without jwks they are found by OpenID Connect Discovery. Private addresses are asked only where LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS names them.',
    writable: 'always',
    optional: true,
  },
  jwks: {
    schema: publicKeySet(['sig'], 20).nullish(),
    documentation:
      'Its public keys themselves (RFC 7517), where the server cannot reach it: RSA from 2048 bits, P-256, P-384 or Ed25519, and those that sign alone. Nothing is fetched then.',
    writable: 'always',
    optional: true,
  },
  algorithms: {
    schema: distinct(z.enum(assertionAlgorithms, `must be one of ${assertionAlgorithms.join(', ')}`), 5)
      .refine((all) => all.length > 0, 'must name one at least')
      .default(['RS256', 'ES256']),
    documentation: `With what its tokens may be signed: ${assertionAlgorithms.join(', ')}.`,
    writable: 'always',
    optional: true,
  },
  audiences: {
    schema: distinct(audience, 10).default([]),
    documentation:
      'What its tokens must be made for (aud). When none is given, the issuer identifier of this server.',
    writable: 'always',
    optional: true,
  },
  maximumLifetimeSeconds: {
    schema: z
      .int('must be a whole number of seconds')
      .min(60, 'must be at least 60')
      .max(86_400, 'must be at most 86400')
      .default(7_200),
    documentation: 'Seconds for which its tokens may be valid at most; longer-lived ones are refused.',
    writable: 'always',
    optional: true,
  },
  singleUse: {
    schema: z.boolean().default(false),
    documentation:
      'Take each of its tokens once: they then need an identifier (jti). Leave it off for issuers whose tokens lie in a file and are used until the next one comes, such as Kubernetes.',
    writable: 'always',
    optional: true,
  },
  people: {
    schema: z
      .array(person)
      .max(1_000, 'must have at most 1000 entries')
      .refine(
        (all) => new Set(all.map(({ subject }) => subject)).size === all.length,
        'must not name the same subject twice',
      )
      .default([]),
    documentation:
      'The people whom subjects of it stand for, each as { subject, userId }. For everybody else its tokens give no access to a person.',
    writable: 'always',
    optional: true,
  },
  createdAt: { schema: instant, documentation: 'When it was made.', writable: 'never' },
  updatedAt: { schema: instant, documentation: 'When it was last changed.', writable: 'never' },
} satisfies Readonly<Record<string, Field>>

export const trustedIssuerActions = [
  {
    name: 'disable',
    documentation:
      'Believe none of its tokens from now on. Access tokens already given last until they expire.',
    input: {},
  },
  { name: 'enable', documentation: 'Believe its tokens again after it was disabled.', input: {} },
] as const

/** What the feature is, known without a database. */
export const trustedIssuersDefinition = {
  name: 'trusted-issuers',
  resource: {
    name: 'trusted-issuers',
    singular: 'trusted issuer',
    documentation: 'Issuers, such as a cluster or a CI system, whose signed tokens are believed.',
    fields,
    actions: trustedIssuerActions,
  },
} as const satisfies FeatureDefinition
