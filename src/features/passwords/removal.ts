import type { Clock } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Visit } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import { changedMeanwhile, lastWay } from './passwords.ts'
import type { PasswordStore } from './store.ts'

/** What people sign in with beside a password. */
export interface OtherWays {
  /** Whether there is anything that a sign-in can begin with. */
  exist(): boolean
  /** Whether this person can sign in without a password, and reaches all that the server demands of him. */
  suffice(userId: UserId): Promise<boolean>
}

export interface RemovalDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly store: PasswordStore
  readonly clock: Clock
  readonly audit: Audit
  readonly attempts: Pick<Attempts, 'epochOf'>
  readonly notices: Notices
  readonly otherWays: OtherWays
}

/**
 * Takes a person's password away at his own wish, with the links on which he could choose another one; like every change
 * of a way to sign in it ends his other sessions. Done twice it is done once. Throws `passwords.last_way`,
 * `passwords.changed_meanwhile` and `attempts.ended` (409).
 */
export const openRemoval =
  ({ storage, store, clock, audit, attempts, notices, otherWays }: RemovalDependencies) =>
  async ({ userId, sessionUid, request, locale }: Visit): Promise<void> => {
    const epoch = await attempts.epochOf(userId)
    if (!(await otherWays.suffice(userId))) throw lastWay()
    await storage.transaction(async (db) => {
      await store.lock(db, userId)
      if (!(await store.remove(db, userId))) return
      // Another way may have gone since it was looked at, and with this one there would be none.
      if ((await attempts.epochOf(userId, db)) !== epoch) throw changedMeanwhile()
      await store.endLinks(db, userId, clock.now())
      const notice = { userId, what: 'password-removed', request, locale, keep: { sessionUid } }
      await notices.credentialsChanged(db, notice)
      const event = { action: 'passwords.removed', outcome: 'success', userId, request } as const
      await audit.recordIn(db, { ...event, actor: { kind: 'user', userId } })
    })
  }
