import { z } from 'zod'
import { personKey } from '../../kernel/fields.ts'
import { commandLineActor } from '../../kernel/http.ts'
import type { Command, CommandAnswer, CommandDefinition, FeatureDefinition } from '../feature.ts'
import type { User, Users } from '../users/index.ts'
import type { Changes } from './changes.ts'
import type { TotpStore } from './store.ts'
import { type Authenticator, unknownAuthenticator } from './totp.ts'

const listCommand: CommandDefinition = {
  words: ['totp', 'list'],
  documentation: 'List the authenticator apps of a person.',
  input: { user: personKey },
}

const removeCommand: CommandDefinition = {
  words: ['totp', 'remove'],
  documentation:
    'Remove a lost authenticator app of a person, or all of them. The person is signed out everywhere and told by mail.',
  input: {
    user: personKey,
    authenticator: {
      schema: z.string().min(1).max(100),
      documentation: 'Only this one, as totp list shows it; all of them when nothing is said.',
      optional: true,
    },
  },
}

/** What the feature is, known without a database. */
export const totpDefinition: FeatureDefinition = {
  name: 'totp',
  documentation: 'Authenticator apps that show codes to sign in with.',
  commands: [listCommand, removeCommand],
}

export interface CommandDependencies {
  readonly store: TotpStore
  readonly changes: Changes
  readonly users: Users
}

export function totpCommands({ store, changes, users }: CommandDependencies): readonly Command[] {
  const personOf = (key: unknown): Promise<User> => users.getByKey(String(key))

  return [
    {
      ...listCommand,
      run: async (input) => answer('', await store.list((await personOf(input.user)).id)),
    },
    {
      ...removeCommand,
      async run({ user: key, authenticator: only }) {
        const { id: userId } = await personOf(key)
        const chosen = (await store.list(userId)).filter(({ id }) => only === undefined || id === only)
        if (chosen.length === 0) throw unknownAuthenticator()
        for (const { id } of chosen) await changes.remove({ userId, id, actor: commandLineActor })
        return answer('Removed; the person is signed out everywhere and is told.', chosen)
      },
    },
  ]
}

function answer(heading: string, authenticators: readonly Authenticator[]): CommandAnswer {
  const lines = authenticators.map(({ id, name, createdAt, lastUsedAt }) =>
    [id, name, `added ${createdAt.toISOString()}`, `last used ${lastUsedAt?.toISOString() ?? 'never'}`].join(
      '  ',
    ),
  )
  return {
    text: [heading, ...lines].filter((line) => line !== '').join('\n'),
    json: authenticators.map((each) => ({
      ...each,
      createdAt: each.createdAt.toISOString(),
      lastUsedAt: each.lastUsedAt?.toISOString() ?? null,
    })),
  }
}
