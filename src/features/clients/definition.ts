import { z } from 'zod'
import { displayText, distinct, httpsUri, instant, scopeToken } from '../../kernel/fields.ts'
import { levels } from '../../kernel/levels.ts'
import { publicKeySet } from '../../kernel/public-keys.ts'
import type { Field } from '../../kernel/resource.ts'
import type { FeatureDefinition } from '../feature.ts'
import { origins } from './client.ts'
import { authentications, grantTypes, idTokenAlgorithms, kindRules, kinds } from './kinds.ts'
import { protocolFields } from './protocol/protocol.ts'
import { jwksUri, origin, redirectUri } from './uris.ts'

const listMaximum = 100
/** What a client_id may look like; anything else is not asked of the database. */
export const identifier = /^[A-Za-z0-9._~-]{1,64}$/

const kindTexts = kinds.map((kind) => `${kind} (${kindRules[kind].documentation})`)
const web = (what: string): Field => ({
  schema: httpsUri.nullish(),
  documentation: `The address of ${what}, shown to people; https only.`,
  writable: 'always',
  optional: true,
})

/** One secret as administrators see it: never its value. */
export const clientSecretItem = z.strictObject({
  id: z.string(),
  label: z.string().nullable(),
  createdAt: instant,
  expiresAt: instant.nullable(),
})

const fields = {
  id: {
    schema: z
      .string()
      .regex(identifier, 'must have 1 to 64 letters, digits, dots, dashes, underscores and tildes')
      .refine((id) => id !== 'latchkey', 'is the server itself')
      .optional(),
    documentation: 'The client_id. One is made up when none is given.',
    writable: 'create',
    optional: true,
    column: true,
  },
  name: {
    schema: displayText(100),
    documentation: 'The name that people see when they sign in and consent.',
    writable: 'always',
    column: true,
  },
  kind: {
    schema: z.enum(kinds, `must be one of ${kinds.join(', ')}`),
    documentation: `What it is: ${kindTexts.join('; ')}. The kind sets the defaults and cannot be changed later.`,
    writable: 'create',
    column: true,
  },
  state: {
    schema: z.enum(['active', 'disabled']),
    documentation: 'A disabled client gets nothing.',
    writable: 'never',
    column: true,
  },
  origin: {
    schema: z.enum(origins),
    documentation:
      'Who made it: administrator; registration, where it registered itself; document, where a document at its client_id describes it.',
    writable: 'never',
    column: true,
  },
  firstParty: {
    schema: z.boolean().default(false),
    documentation: 'It is our own: people are not asked whether it may have what it asks for.',
    writable: 'always',
    optional: true,
    column: true,
  },
  redirectUris: {
    schema: distinct(redirectUri, listMaximum).default([]),
    documentation:
      'Where people are sent back to, compared character by character. https, http on localhost, or for native an own scheme with a dot.',
    writable: 'always',
    optional: true,
  },
  postLogoutRedirectUris: {
    schema: distinct(redirectUri, listMaximum).default([]),
    documentation: 'Where people may be sent after signing out; written like redirect URIs.',
    writable: 'always',
    optional: true,
  },
  allowedOrigins: {
    schema: distinct(origin, listMaximum).default([]),
    documentation: 'Origins whose scripts may call the server (CORS), such as https://app.example.com.',
    writable: 'always',
    optional: true,
  },
  grantTypes: {
    schema: distinct(
      z.enum(grantTypes, `must be one of ${grantTypes.join(', ')}`),
      grantTypes.length,
    ).optional(),
    documentation:
      'How it may get tokens. By default authorization_code and refresh_token; for a service client_credentials.',
    writable: 'always',
    optional: true,
  },
  scopes: {
    schema: distinct(scopeToken, 200).optional(),
    documentation:
      'The scopes it may ask for, those of registered APIs included. By default openid, profile, email and offline_access; none for a service.',
    writable: 'always',
    optional: true,
  },
  authentication: {
    schema: z.enum(authentications, `must be one of ${authentications.join(', ')}`).optional(),
    documentation:
      'How it proves who it is. By default client_secret_basic; none for spa and native, which keep no secret. private_key_jwt needs jwks or jwksUri.',
    writable: 'always',
    optional: true,
  },
  jwks: {
    schema: publicKeySet(['sig', 'enc'], 20).nullish(),
    documentation:
      'Its public keys, as a JSON Web Key Set: to prove itself (private_key_jwt), to sign requests, and with use enc to encrypt for it. RSA from 2048 bits, P-256, P-384 or Ed25519; P-521 and X25519 only to encrypt.',
    writable: 'always',
    optional: true,
  },
  jwksUri: {
    schema: jwksUri.nullish(),
    documentation: 'Where its public keys are fetched, instead of jwks.',
    writable: 'always',
    optional: true,
  },
  idTokenAlgorithm: {
    schema: z.enum(idTokenAlgorithms, `must be one of ${idTokenAlgorithms.join(', ')}`).optional(),
    documentation:
      'With what its ID tokens are signed. By default RS256, which every library understands; ES256 where its profile does not allow that.',
    writable: 'always',
    optional: true,
  },
  requiredLevel: {
    schema: z.enum(levels, `must be one of ${levels.join(', ')}`).nullish(),
    documentation: `What must be proven to sign in to it, whatever the server demands: ${levels.join(', ')}. \`latchkey why\` tells what follows for a person.`,
    writable: 'always',
    optional: true,
  },
  ...protocolFields,
  logoUri: web('its logo'),
  clientUri: web('its home page'),
  policyUri: web('its privacy policy'),
  tosUri: web('its terms of service'),
  secrets: {
    schema: z.array(clientSecretItem),
    documentation:
      'Its secrets: identifier, label and expiry. The values are shown when they are made and never again.',
    writable: 'never',
  },
  createdAt: { schema: instant, documentation: 'When it was made.', writable: 'never' },
  updatedAt: { schema: instant, documentation: 'When it was last changed.', writable: 'never' },
} satisfies Readonly<Record<string, Field>>

export const clientActions = [
  {
    name: 'disable',
    documentation: 'Give it nothing from now on and end its tokens. It can be enabled again.',
    input: {},
  },
  {
    name: 'enable',
    documentation: 'Let it work again after it was disabled. Its earlier tokens stay ended.',
    input: {},
  },
  {
    name: 'add-secret',
    documentation:
      'Make another secret, shown once. Those it has keep working, so that a secret can be replaced at leisure.',
    input: {
      label: {
        schema: displayText(100).optional(),
        documentation: 'What to know it by, such as the place where it is kept.',
        optional: true,
      },
      expiresInDays: {
        schema: z
          .int('must be a whole number of days')
          .min(1, 'must be at least 1')
          .max(3_650, 'must be at most 3650')
          .optional(),
        documentation: 'Days until it stops working. It does not expire when nothing is said.',
        optional: true,
      },
    },
  },
  {
    name: 'remove-secret',
    documentation: 'Make a secret stop working at once.',
    input: {
      secretId: {
        schema: z.string().regex(/^[\w-]{1,64}$/, 'must be the identifier of a secret'),
        documentation: 'The identifier of the secret, as `show` gives it.',
      },
    },
  },
] as const

/** What the feature is, known without a database. */
export const clientsDefinition = {
  name: 'clients',
  resource: {
    name: 'clients',
    singular: 'client',
    documentation: 'Applications and services that get tokens.',
    fields,
    actions: clientActions,
  },
} as const satisfies FeatureDefinition
