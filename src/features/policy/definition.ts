import { z } from 'zod'
import { personKey } from '../../kernel/fields.ts'
import { levels } from '../../kernel/levels.ts'
import type { CommandDefinition, FeatureDefinition } from '../feature.ts'

export const whyCommand = {
  words: ['why'],
  documentation: 'What a person is asked for when signing in to a client, and because of which rule.',
  input: {
    user: personKey,
    client: {
      schema: z.string().max(64).optional(),
      documentation: 'The client_id. Without it: Latchkey’s own pages.',
      optional: true,
    },
    acr: {
      schema: z.enum(levels).optional(),
      documentation: `As if the request asked for this level: ${levels.join(', ')}.`,
      optional: true,
    },
  },
} as const satisfies CommandDefinition

/** What the feature is, known without a database. */
export const policyDefinition: FeatureDefinition = {
  name: 'policy',
  documentation: 'What must be proven to sign in.',
  commands: [whyCommand],
}
