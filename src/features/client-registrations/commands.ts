import { z } from 'zod'
import { displayText } from '../../kernel/fields.ts'
import type { Command, CommandDefinition, FeatureDefinition } from '../feature.ts'
import { type Policy, policySchema } from './policy.ts'
import type { InitialAccessTokens, TokenItem } from './tokens.ts'

const createToken: CommandDefinition = {
  words: ['client-registrations', 'create-token'],
  documentation: 'Make an initial access token, with which a client may register itself. It is shown once.',
  input: {
    label: { schema: displayText(100).optional(), documentation: 'What to know it by.', optional: true },
    uses: {
      schema: z.int('must be a whole number').min(1).max(1_000_000).optional(),
      documentation: 'How many clients it may register. Any number when nothing is said.',
      optional: true,
    },
    expiresInDays: {
      schema: z.int('must be a whole number of days').min(1).max(365).default(7),
      documentation: 'Days until it stops working; 7 when nothing is said.',
      optional: true,
    },
    policy: {
      schema: policySchema.optional(),
      documentation: 'What these clients may be, an object; the policy of the server when nothing is said.',
      optional: true,
    },
  },
}

const listTokens: CommandDefinition = {
  words: ['client-registrations', 'list-tokens'],
  documentation: 'List the initial access tokens; never their values.',
  input: {},
}

const revokeToken: CommandDefinition = {
  words: ['client-registrations', 'revoke-token'],
  documentation: 'Make an initial access token stop working at once. Clients that it let in stay.',
  input: {
    id: {
      schema: z.string().regex(/^[\w-]{1,64}$/, 'must be the identifier of a token'),
      documentation: 'The token, as list-tokens shows it.',
    },
  },
}

/** What the feature is, known without a database. */
export const clientRegistrationsDefinition: FeatureDefinition = {
  name: 'client-registrations',
  documentation: 'Clients that register themselves, and the tokens that let them.',
  commands: [createToken, listTokens, revokeToken],
}

const line = ({ id, label, usesLeft, expiresAt, expired }: TokenItem): string =>
  `${id}  ${usesLeft === null ? 'any number of uses' : `${usesLeft} uses left`}  ${expired ? 'expired' : 'until'} ${expiresAt}${label === null ? '' : `  ${label}`}`

export const registrationCommands = (
  tokens: InitialAccessTokens,
  serverPolicy: Policy,
): readonly Command[] => [
  {
    ...createToken,
    async run({ label, uses, expiresInDays, policy }) {
      const { item, token } = await tokens.create({
        label: label as string | undefined,
        uses: uses as number | undefined,
        expiresInDays: Number(expiresInDays ?? 7),
        policy: (policy as Policy | undefined) ?? serverPolicy,
      })
      return { text: `${line(item)}\n\nThe token, shown this once:\n${token}`, json: { ...item, token } }
    },
  },
  {
    ...listTokens,
    async run() {
      const all = await tokens.list()
      return { text: all.length === 0 ? 'There are none.' : all.map(line).join('\n'), json: all }
    },
  },
  {
    ...revokeToken,
    async run({ id }) {
      await tokens.revoke(String(id))
      return { text: 'The token is revoked.', json: { revoked: id } }
    },
  },
]
