import { z } from 'zod'
import {
  absoluteUri,
  displayText,
  distinct,
  hasNoUserinfo,
  instant,
  scopeToken,
} from '../../kernel/fields.ts'
import type { Field } from '../../kernel/resource.ts'
import type { FeatureDefinition } from '../feature.ts'
import { resourceProtocolFields } from './protocol.ts'

export const tokenFormats = ['jwt', 'opaque'] as const
export const tokenAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const

export type TokenFormat = (typeof tokenFormats)[number]
export type TokenAlgorithm = (typeof tokenAlgorithms)[number]

const scopeMaximum = 200
/** Scopes that have a meaning of their own (OpenID Connect Core 1.0 §5.4, §11). */
const reservedScopes = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access'])

/** A resource indicator (RFC 8707 §2). */
const indicator = absoluteUri
  .max(512, 'must have at most 512 characters')
  .refine((text) => !text.includes('#'), 'must have no fragment (#)')
  .refine(hasNoUserinfo, 'must have no user name or password')
  .refine(
    (text) => !/^(javascript|data|vbscript|blob|about):/.test(text),
    'must name an API, such as https://api.example.com',
  )

const clientId = z.string().regex(/^[A-Za-z0-9._~-]{1,64}$/, 'must be a client_id')

const scope = z.strictObject({
  name: scopeToken.refine((name) => !reservedScopes.has(name), 'must not be a scope of OpenID Connect'),
  description: z.union([z.literal(''), displayText(300)]).default(''),
})

export type ResourceScope = z.infer<typeof scope>

const fields = {
  indicator: {
    schema: indicator,
    documentation:
      'What applications name to get a token for it, and its audience: an absolute URI, compared character by character. It cannot be changed later.',
    writable: 'create',
    column: true,
  },
  name: {
    schema: displayText(100),
    documentation: 'The name that people see when they consent.',
    writable: 'always',
    column: true,
  },
  state: {
    schema: z.enum(['active', 'disabled']),
    documentation: 'For a disabled one no token is issued.',
    writable: 'never',
    column: true,
  },
  scopes: {
    schema: z
      .array(scope)
      .max(scopeMaximum, `must have at most ${scopeMaximum} entries`)
      .refine(
        (all) => new Set(all.map(({ name }) => name)).size === all.length,
        'must not name the same twice',
      )
      .default([]),
    documentation: 'What may be done with it, each with the description that people read when they consent.',
    writable: 'always',
    optional: true,
  },
  introspectors: {
    schema: distinct(clientId, 100).default([]),
    documentation:
      'The client_id of each client that may introspect tokens for it, such as that of the API itself; opaque tokens need one.',
    writable: 'always',
    optional: true,
  },
  tokenFormat: {
    schema: z.enum(tokenFormats, `must be one of ${tokenFormats.join(', ')}`).default('jwt'),
    documentation:
      'jwt: the API checks access tokens by itself (RFC 9068). opaque: it asks the server, so that a revoked token ends at once.',
    writable: 'always',
    optional: true,
    column: true,
  },
  tokenAlgorithm: {
    schema: z.enum(tokenAlgorithms, `must be one of ${tokenAlgorithms.join(', ')}`).default('ES256'),
    documentation: 'With what JWT access tokens for it are signed.',
    writable: 'always',
    optional: true,
    column: true,
  },
  accessTokenTtlSeconds: {
    schema: z
      .int('must be a whole number of seconds')
      .min(60, 'must be at least 60')
      .max(86_400, 'must be at most 86400')
      .default(600),
    documentation: 'Seconds for which an access token is valid.',
    writable: 'always',
    optional: true,
  },
  ...resourceProtocolFields,
  createdAt: { schema: instant, documentation: 'When it was made.', writable: 'never' },
  updatedAt: { schema: instant, documentation: 'When it was last changed.', writable: 'never' },
} satisfies Readonly<Record<string, Field>>

export const resourceActions = [
  {
    name: 'disable',
    documentation:
      'Issue no token for it from now on. JWT access tokens already issued last until they expire.',
    input: {},
  },
  { name: 'enable', documentation: 'Issue tokens for it again after it was disabled.', input: {} },
] as const

/** What the feature is, known without a database. */
export const resourcesDefinition = {
  name: 'resources',
  resource: {
    name: 'resources',
    singular: 'resource',
    documentation: 'APIs that access tokens are issued for.',
    fields,
    actions: resourceActions,
  },
} as const satisfies FeatureDefinition
