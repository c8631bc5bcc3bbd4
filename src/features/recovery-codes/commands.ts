import { personKey } from '../../kernel/fields.ts'
import { commandLineActor } from '../../kernel/http.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Command, CommandDefinition, FeatureDefinition } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { Users } from '../users/index.ts'
import type { RecoveryCodeStore } from './store.ts'

const removeCommand: CommandDefinition = {
  words: ['recovery-codes', 'remove'],
  documentation:
    'End the recovery codes of a person, such as a list that was lost. The person is signed out everywhere and told by mail.',
  input: {
    user: personKey,
  },
}

/** What the feature is, known without a database. */
export const recoveryCodesDefinition: FeatureDefinition = {
  name: 'recovery-codes',
  documentation: 'Codes on paper, for who has lost every other second way to sign in.',
  commands: [removeCommand],
}

export interface CommandDependencies {
  readonly transaction: Storage['transaction']
  readonly store: RecoveryCodeStore
  readonly users: Users
  readonly audit: Audit
  readonly notices: Notices
}

export const recoveryCodeCommands = (dependencies: CommandDependencies): readonly Command[] => [
  {
    ...removeCommand,
    async run({ user: key }) {
      const { transaction, store, users, audit, notices } = dependencies
      const { id: userId } = await users.getByKey(String(key))
      const removed = await transaction(async (db) => {
        const left = await store.remove(db, userId)
        if (left === 0) return 0
        const event = { outcome: 'success', actor: commandLineActor, userId } as const
        await audit.recordIn(db, { ...event, action: 'recovery-codes.removed', detail: { left } })
        await notices.credentialsChanged(db, { userId, what: 'recovery-codes-removed' })
        return left
      })
      const text =
        removed === 0
          ? 'The person has no recovery codes.'
          : `Ended ${removed}; the person is signed out everywhere and is told.`
      return { text, json: { removed } }
    },
  },
]
