import { z } from 'zod'
import { personKey } from '../../kernel/fields.ts'
import { commandLineActor } from '../../kernel/http.ts'
import type { Command, CommandAnswer, CommandDefinition, FeatureDefinition } from '../feature.ts'
import type { User, Users } from '../users/index.ts'
import { makerOf } from './makers.ts'
import { notFound, type Passkey } from './passkeys.ts'
import type { openRemoval } from './removal.ts'
import type { PasskeyStore } from './store.ts'

const listCommand: CommandDefinition = {
  words: ['passkeys', 'list'],
  documentation: 'List the passkeys of a person.',
  input: { user: personKey },
}

const removeCommand: CommandDefinition = {
  words: ['passkeys', 'remove'],
  documentation:
    'Remove a lost passkey of a person, or all of them. The person is signed out everywhere and told by mail.',
  input: {
    user: personKey,
    passkey: {
      schema: z.string().min(1).max(1_364),
      documentation: 'Only this one, as passkeys list shows it; all of them when nothing is said.',
      optional: true,
    },
  },
}

/** What the feature is, known without a database. */
export const passkeysDefinition: FeatureDefinition = {
  name: 'passkeys',
  documentation: 'Passkeys, with which people sign in by fingerprint, face, screen lock or security key.',
  commands: [listCommand, removeCommand],
}

export interface CommandDependencies {
  readonly store: PasskeyStore
  readonly users: Pick<Users, 'getByKey'>
  readonly remove: ReturnType<typeof openRemoval>
}

/** For who has lost what he signs in with. */
export function passkeyCommands({ store, users, remove }: CommandDependencies): readonly Command[] {
  const personOf = (key: unknown): Promise<User> => users.getByKey(String(key))

  return [
    {
      ...listCommand,
      run: async (input) => answer('', await store.list((await personOf(input.user)).id)),
    },
    {
      ...removeCommand,
      async run({ user: key, passkey: only }) {
        const { id: userId } = await personOf(key)
        const chosen = (await store.list(userId)).filter(({ id }) => only === undefined || id === only)
        if (chosen.length === 0) throw notFound()
        for (const { id } of chosen) await remove({ userId, id, actor: commandLineActor })
        return answer('Removed; the person is signed out everywhere and is told.', chosen)
      },
    },
  ]
}

function answer(heading: string, passkeys: readonly Passkey[]): CommandAnswer {
  const shown = passkeys.map(({ id, name, aaguid, rpId, createdAt, lastUsedAt }) => ({
    id,
    name,
    maker: makerOf(aaguid) ?? null,
    domain: rpId,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  }))
  const lines = shown.map(({ id, name, domain, createdAt, lastUsedAt }) =>
    [id, name, `for ${domain}`, `added ${createdAt}`, `last used ${lastUsedAt ?? 'never'}`].join('  '),
  )
  return { text: [heading, ...lines].filter((line) => line !== '').join('\n'), json: shown }
}
