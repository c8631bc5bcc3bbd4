import { z } from 'zod'
import { choice, integer, list, type Setting, seconds } from '../../kernel/settings.ts'
import { defaultPolicy, type Policy, policySchema } from './policy.ts'

const policySetting: Setting<Policy> = {
  schema: z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown
      } catch {
        context.addIssue('must be a JSON object')
        return z.NEVER
      }
    })
    .pipe(policySchema),
  type: 'JSON object',
  fallback: defaultPolicy,
  fallbackText: '{}',
  documentation:
    'What clients that register themselves may be, where their initial access token does not say. docs/registration.md tells its members.',
  secret: false,
}

export const settings = {
  mode: choice(
    ['closed', 'token', 'open'],
    'closed',
    'Whether clients may register themselves (RFC 7591): closed; token, with an initial access token; or open to anybody.',
  ),
  policy: policySetting,
  maximum: integer(1_000, 'How many clients that registered themselves there may be at most.', {
    minimum: 1,
  }),
  perHour: integer(
    20,
    'How many registrations an hour, and how many updates of them, are taken from one address.',
    { minimum: 1 },
  ),
  documents: choice(
    ['off', 'listed', 'any'],
    'off',
    'Whether a client_id may be the address of a document that describes the client: off; listed, at LATCHKEY_CLIENT_REGISTRATIONS_DOCUMENT_HOSTS; or any.',
  ),
  documentHosts: list([], 'Host names whose documents may describe clients.'),
  documentScopes: list(
    ['openid', 'profile', 'email', 'offline_access'],
    'The scopes that clients described by a document may ask for, those of registered APIs included.',
  ),
  documentMinimumSeconds: seconds(60, 'How long a document is kept at least before it is fetched anew.', 10),
  documentMaximumSeconds: seconds(
    3_600,
    'How long a document is kept at most, whatever its server says.',
    10,
  ),
}
