import { z } from 'zod'
import type { FeatureDefinition } from '../feature.ts'
import { userFields } from './fields.ts'

export const userActions = [
  {
    name: 'disable',
    documentation: 'Stop signing in and end sessions and tokens at once; nothing is forgotten.',
    input: {},
  },
  { name: 'enable', documentation: 'Let a disabled user sign in again.', input: {} },
  { name: 'make-administrator', documentation: 'Let the user administrate.', input: {} },
  { name: 'remove-administrator', documentation: 'Let the user no longer administrate.', input: {} },
  {
    name: 'reset-password',
    documentation:
      'Make a one-time link on which the person chooses a new password; earlier links end. The present password and the second factor stay until then.',
    input: {
      mail: {
        schema: z.boolean().default(false),
        documentation: 'Mail it to the person’s address instead of showing it.',
        optional: true,
      },
    },
  },
] as const

/** What the feature is, known without a database. */
export const usersDefinition = {
  name: 'users',
  resource: {
    name: 'users',
    singular: 'user',
    documentation: 'People who can sign in.',
    fields: userFields,
    actions: userActions,
  },
} as const satisfies FeatureDefinition
