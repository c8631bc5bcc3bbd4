import { z } from 'zod'
import { commandLineActor } from '../../kernel/http.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Command, CommandDefinition, FeatureDefinition } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { Users } from '../users/index.ts'
import { userUnknown } from './recovery-codes.ts'
import type { RecoveryCodeStore } from './store.ts'

const removeCommand: CommandDefinition = {
  words: ['recovery-codes', 'remove'],
  documentation:
    'End the recovery codes of a person, such as a list that was lost. The person is signed out everywhere and told by mail.',
  input: {
    user: {
      schema: z.string().trim().min(1).max(320),
      documentation: 'The person, by identifier, e-mail address or user name.',
    },
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
      const user = (await users.find(String(key))) ?? (await users.findByIdentifier(String(key)))
      if (user === undefined) throw userUnknown()
      const userId = user.id
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
