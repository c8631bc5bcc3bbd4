import type { Actor, RequestFacts } from '../../kernel/http.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Kept } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { TotpStore } from './store.ts'
import { type Authenticator, unknownAuthenticator } from './totp.ts'
import { nameOf } from './typed.ts'

export interface ChangeDependencies {
  readonly transaction: Storage['transaction']
  readonly store: TotpStore
  readonly audit: Audit
  readonly notices: Notices
}

/** Whose authenticator is changed, which, and by whom. */
export interface Change {
  readonly userId: UserId
  readonly id: string
  readonly actor: Actor
  readonly request?: RequestFacts
  readonly locale?: string
  /** What stays signed in. */
  readonly keep?: Kept
}

/** What may happen to an authenticator once it is there. */
export interface Changes {
  /** Throws `totp.unknown` (404), `totp.name_missing` and `totp.name_invalid` (400). */
  rename(change: Change, name: string): Promise<void>
  /** Signs the person out everywhere else and tells him. Throws `totp.unknown` (404). */
  remove(change: Change): Promise<Authenticator>
}

export function totpChanges({ transaction, store, audit, notices }: ChangeDependencies): Changes {
  const eventOf = (what: 'renamed' | 'removed', { userId, id, actor, request }: Change) =>
    ({
      action: `totp.${what}`,
      outcome: 'success',
      actor,
      userId,
      request,
      detail: { authenticator: id },
    }) as const

  return {
    async rename(change, typed) {
      const { userId, id } = change
      const name = nameOf(typed)
      await transaction(async (db) => {
        if (!(await store.rename(db, { userId, id, name }))) throw unknownAuthenticator()
        await audit.recordIn(db, eventOf('renamed', change))
      })
    },

    async remove(change) {
      const { userId, id, request, locale, keep } = change
      const authenticator = await store.find(userId, id)
      if (authenticator === null) throw unknownAuthenticator()
      const { name } = authenticator
      await transaction(async (db) => {
        if (!(await store.remove(db, userId, id))) throw unknownAuthenticator()
        await audit.recordIn(db, eventOf('removed', change))
        await notices.credentialsChanged(db, {
          userId,
          what: 'totp-removed',
          params: { name },
          request,
          locale,
          keep,
        })
      })
      return authenticator
    },
  }
}
