import { after, type Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { systemActor } from '../../kernel/http.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Notices } from '../notices/index.ts'
import type { Users } from '../users/index.ts'
import {
  type Departing,
  type Departure,
  type Departures,
  lastAdministrator,
  notConfirmed,
  notLeaving,
} from './departures.ts'
import type { settings } from './settings.ts'
import type { DepartureStore } from './store.ts'

export interface LeavingDependencies {
  readonly storage: Pick<Storage, 'transaction' | 'touch'>
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Pick<Users, 'get' | 'delete' | 'canonicalIdentifier' | 'countAdministrators'>
  readonly notices: Notices
  readonly settings: SettingValues<typeof settings>
}

const batch = 20
const postponedSeconds = 86_400

/** Deletes accounts whose owners want it, after the time in which they may think better of it. */
export const openLeaving = (dependencies: LeavingDependencies, store: DepartureStore): Departures => ({
  waitSeconds: dependencies.settings.waitSeconds,
  find: (userId) => store.find(userId),
  request: requesting(dependencies, store),
  keep: keeping(dependencies, store),
  deleteDue: deletingDue(dependencies, store),
})

const requesting =
  (dependencies: LeavingDependencies, store: DepartureStore): Departures['request'] =>
  async (departing) => {
    const { storage, users } = dependencies
    const { userId, confirmation } = departing
    const { email, username, administrator } = await users.get(userId)
    const typed = users.canonicalIdentifier(confirmation)
    const own = [email, username].flatMap((name) => (name === null ? [] : [users.canonicalIdentifier(name)]))
    if (!own.includes(typed)) throw notConfirmed()
    return await storage.transaction(async (db) => {
      // The lock under which users change: two administrators cannot each take the other for the one who stays.
      await storage.touch(db, 'users')
      const before = await store.find(userId, db)
      if (before !== undefined) return before
      if (administrator) await keepOneAdministrator(dependencies, store, db)
      return await begin(dependencies, { store, db, departing })
    })
  }

/** Throws where nobody else would be left to administrate once those who leave are gone. */
async function keepOneAdministrator(
  { users }: LeavingDependencies,
  store: DepartureStore,
  db: DatabaseTransaction,
): Promise<void> {
  const active = await users.countAdministrators(db, 'active')
  if (active - (await store.countLeavingAdministrators(db)) <= 1) throw lastAdministrator()
}

interface Beginning {
  readonly store: DepartureStore
  readonly db: DatabaseTransaction
  readonly departing: Departing
}

async function begin(
  { clock, audit, users, notices, settings }: LeavingDependencies,
  { store, db, departing: { userId, request, keep, locale } }: Beginning,
): Promise<Departure | undefined> {
  const actor = { kind: 'user', userId } as const
  if (settings.waitSeconds === 0) {
    await notices.credentialsChanged(db, { userId, what: 'departure-done', request, keep, locale })
    await users.delete(userId, { actor, request, db })
    return undefined
  }
  const requestedAt = clock.now()
  const departure = { requestedAt, dueAt: after(requestedAt, settings.waitSeconds) }
  await store.insert(db, userId, departure)
  const params = { due: departure.dueAt }
  await notices.credentialsChanged(db, { userId, what: 'departure-requested', params, request, keep, locale })
  await audit.recordIn(db, { action: 'departures.requested', outcome: 'success', actor, userId, request })
  return departure
}

const keeping =
  ({ storage, audit, notices }: LeavingDependencies, store: DepartureStore): Departures['keep'] =>
  async (userId, { request, locale }) => {
    const actor = { kind: 'user', userId } as const
    await storage.transaction(async (db) => {
      if (!(await store.remove(db, userId))) throw notLeaving()
      await notices.tell(db, { userId, what: 'departure-cancelled', request, locale })
      await audit.recordIn(db, { action: 'departures.cancelled', outcome: 'success', actor, userId, request })
    })
  }

const deletingDue =
  (dependencies: LeavingDependencies, store: DepartureStore): Departures['deleteDue'] =>
  async () => {
    const due = await store.due(dependencies.clock.now(), batch)
    for (const userId of due) await complete(dependencies, store, userId)
    return due.length === batch
  }

/** All of it in one transaction, which begins with the one write that only one of several processes wins. */
async function complete(
  { storage, clock, audit, users, notices }: LeavingDependencies,
  store: DepartureStore,
  userId: string,
): Promise<void> {
  try {
    await storage.transaction(async (db) => {
      if (!(await store.remove(db, userId, clock.now()))) return
      await notices.tell(db, { userId, what: 'departure-done' })
      await users.delete(userId, { actor: systemActor, db })
    })
  } catch (error) {
    // Whoever was to stay has been disabled since: this one is needed, and the next day may bring another.
    if (!(error instanceof AppError) || error.code !== 'users.last_administrator') throw error
    await store.postpone(userId, after(clock.now(), postponedSeconds))
    await audit.record({ action: 'departures.postponed', outcome: 'failure', actor: systemActor, userId })
  }
}
