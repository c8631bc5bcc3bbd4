import { after, type Clock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Outbox, OutboxQueue } from '../outbox/index.ts'
import type { ApplicationLogoutStore } from './store.ts'
import type { Logout } from './telling.ts'

export const topic = 'application-logout'

/** What came of one attempt: the application has taken it, has refused it, or wants none (any more). */
export type LogoutAnswer = 'told' | 'refused' | 'not-wanted'
/** Throws where the application could not be asked, or answered neither yes nor no. */
export type SendLogout = (logout: Logout) => Promise<LogoutAnswer>

export interface ApplicationLogouts {
  /** From now on this process delivers by it. */
  connect(send: SendLogout): void
  /** Tells one application, where it has an address for that. */
  tell(logout: Logout): Promise<void>
}

export interface ApplicationLogoutsDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  readonly outbox: Outbox
  readonly queue: OutboxQueue
  /** Which of these clients have an address for it. In the transaction: nobody else may ask while one is open. */
  readonly wanting: (db: DatabaseTransaction, clientIds: readonly string[]) => Promise<ReadonlySet<string>>
  /** By identifier, e-mail address or user name. Throws `users.not_found` (404). */
  readonly getUser: (key: string) => Promise<{ readonly id: string }>
  /** The outbox's own: what it gives up is given up here, too. */
  readonly settings: { readonly giveUpSeconds: number; readonly keepAbandonedSeconds: number }
}

export interface Parts extends ApplicationLogoutsDependencies {
  readonly store: ApplicationLogoutStore
}

export function openLogouts({ store, clock, outbox, queue, wanting, settings, storage }: Parts) {
  const times = () => {
    const createdAt = clock.now()
    return { createdAt, triesUntil: after(createdAt, settings.giveUpSeconds) }
  }

  return {
    /** In the transaction that ends the session. */
    async tell(db: DatabaseTransaction, logouts: readonly Logout[]): Promise<void> {
      const wanted = await wanting(db, [...new Set(logouts.map(({ clientId }) => clientId))])
      const tellings = logouts.flatMap(({ clientId, userId, sessionUid, sid }) =>
        wanted.has(clientId) ? [{ id: newId(), clientId, userId, sessionUid, sid, ...times() }] : [],
      )
      await store.insert(db, tellings)
      await outbox.putAll(
        db,
        topic,
        tellings.map(({ id }) => ({ id })),
      )
    },

    /** Makes what waits due at once, and what failed or was refused wait again; answers with how many. */
    async retry(id?: string): Promise<number> {
      const untold = await store.untold(id)
      const queued = new Map(
        (await queue.list(topic, 100_000)).map((message) => [
          (message.payload as { id: string }).id,
          message.id,
        ]),
      )
      for (const telling of untold) {
        const message = queued.get(telling.id)
        await storage.transaction(async (db) => {
          const again = await store.again(db, telling.id, times().triesUntil)
          if (again && message === undefined) await outbox.put(db, topic, { id: telling.id })
        })
        if (message !== undefined) await queue.retry(topic, message)
      }
      return untold.length
    },
  }
}
