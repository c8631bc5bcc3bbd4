import { z } from 'zod'
import { commandLineActor } from '../../kernel/http.ts'
import type { Command, CommandAnswer, CommandDefinition, FeatureDefinition } from '../feature.ts'
import type { FirstAdministrator, Setup } from './setup.ts'

const identifier = z.string().trim().max(320).optional()

const administratorInput = {
  email: { schema: identifier, documentation: 'E-mail address to sign in with.', optional: true },
  username: {
    schema: identifier,
    documentation: 'User name to sign in with, instead of or beside the address.',
    optional: true,
  },
  name: { schema: z.string().trim().max(200).optional(), documentation: 'Full name.', optional: true },
  password: { schema: z.string(), documentation: 'Password.', fromStandardInput: true },
}

const administratorSchema = z.strictObject({
  email: identifier,
  username: identifier,
  name: administratorInput.name.schema,
  password: administratorInput.password.schema,
}) satisfies z.ZodType<FirstAdministrator>

const administratorCommand: CommandDefinition = {
  words: ['setup', 'administrator'],
  documentation: 'Create the first administrator, with a password from standard input.',
  input: administratorInput,
}

const linkCommand: CommandDefinition = {
  words: ['setup', 'link'],
  documentation: 'Make a new one-time link for creating the first administrator; the one before ends.',
  input: {},
}

/** What the feature is, known without a database. */
export const setupDefinition: FeatureDefinition = {
  name: 'setup',
  documentation: 'The first administrator.',
  commands: [administratorCommand, linkCommand],
}

export const setupCommands = (setup: Setup): readonly Command[] => [
  {
    ...administratorCommand,
    async run(input): Promise<CommandAnswer> {
      const user = await setup.createFirstAdministrator(administratorSchema.parse(input), commandLineActor)
      return {
        text: `${user.email ?? user.username} can sign in and administrate now.`,
        json: { id: user.id, email: user.email, username: user.username },
      }
    },
  },
  {
    ...linkCommand,
    async run(): Promise<CommandAnswer> {
      const { url, expiresAt } = await setup.issueLink()
      return {
        text: `Create the first administrator, until ${expiresAt.toISOString()}:\n${url}`,
        json: { url, expiresAt: expiresAt.toISOString() },
      }
    },
  },
]
