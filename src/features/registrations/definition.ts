import { z } from 'zod'
import { instant } from '../../kernel/fields.ts'
import type { FeatureDefinition } from '../feature.ts'

/** What the feature is, known without a database. */
export const registrationsDefinition = {
  name: 'registrations',
  resource: {
    name: 'invitations',
    singular: 'invitation',
    documentation: 'Links with which people make their own account, each once.',
    fields: {
      id: { schema: z.string(), documentation: 'Identifier.', writable: 'never', column: true },
      email: {
        schema: z.string().trim().min(3, 'must be an e-mail address').max(320).optional(),
        documentation:
          'The address that the account is for; nobody else can be registered with it. It is mailed there where mail can be sent.',
        writable: 'create',
        optional: true,
        column: true,
      },
      state: {
        schema: z.enum(['open', 'used', 'expired']),
        documentation: 'Whether it can still be used.',
        writable: 'never',
        column: true,
      },
      expiresAt: {
        schema: instant.optional(),
        documentation:
          'When it ends, such as 2027-01-31T12:00:00Z. LATCHKEY_REGISTRATIONS_INVITATION_SECONDS where nothing is said.',
        writable: 'always',
        optional: true,
        column: true,
      },
      createdAt: { schema: instant, documentation: 'When it was made.', writable: 'never' },
    },
    actions: [],
  },
} as const satisfies FeatureDefinition
