import type { Clock } from '../../kernel/clock.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import { merged } from './details.ts'
import type { UserStore } from './store.ts'
import { type Change, lastAdministrator, type User, type Users, userNotFound } from './users.ts'

export interface ChangeDependencies {
  readonly storage: Pick<Storage, 'transaction' | 'touch'>
  readonly store: UserStore
  readonly clock: Clock
  readonly audit: Audit
  /** Ends sessions, tokens and pending interactions of the user. */
  readonly endEverything: (db: DatabaseTransaction, userId: string) => Promise<void>
  /** Told of an e-mail address that becomes another, whoever changes it, in that transaction. */
  readonly addressChanged: AddressChanged
}

export type AddressChanged = (
  db: DatabaseTransaction,
  change: Pick<Change, 'request' | 'keep'> & { readonly before: User; readonly after: User },
) => Promise<void>

type Presence = Pick<Users, 'create' | 'update' | 'delete'>
type Standing = Pick<Users, 'disable' | 'enable' | 'setAdministrator'>
export type Changes = Presence & Standing

/** A change of one or two columns, or `undefined` where they already are as wanted. */
type Rule = (
  before: User,
) => { readonly disabledAt?: Date | null; readonly administrator?: boolean } | undefined

export function openChanges(dependencies: ChangeDependencies): Changes {
  const basis = openBasis(dependencies)
  return { ...presence(dependencies, basis), ...standing(dependencies, basis) }
}

type Basis = ReturnType<typeof openBasis>

const openBasis = ({ storage, store, audit }: ChangeDependencies) => ({
  /**
   * Every change counts in the revision first: that row is the lock under which changes of users happen one after the
   * other, so that two cannot each take the other for the last administrator who stays.
   */
  async changing<T>(change: Change, work: (db: DatabaseTransaction) => Promise<T>): Promise<T> {
    const locked = async (db: DatabaseTransaction): Promise<T> => {
      await storage.touch(db, 'users')
      return await work(db)
    }
    return change.db === undefined ? await storage.transaction(locked) : await locked(change.db)
  },

  async stored(db: DatabaseTransaction, id: string): Promise<User> {
    const user = await store.findStored(id, db)
    if (user === undefined) throw userNotFound()
    return user
  },

  /** Called when the change to `before` is made, and undone with it if nobody is left. */
  async keepOneAdministrator(db: DatabaseTransaction, before: User): Promise<void> {
    if (!before.administrator || before.disabledAt !== null) return
    if ((await store.countAdministrators(db, 'active')) === 0) throw lastAdministrator()
  },

  async record(
    db: DatabaseTransaction,
    action: string,
    by: Change & { readonly userId: string },
  ): Promise<void> {
    const { userId, actor, request } = by
    await audit.recordIn(db, { action: `users.${action}`, outcome: 'success', actor, userId, request })
  },
})

const presence = (
  { store, clock, endEverything, addressChanged }: ChangeDependencies,
  basis: Basis,
): Presence => ({
  create: ({ administrator = false, ...details }, change) =>
    basis.changing(change, async (db) => {
      const user = await store.insert(db, { ...merged(undefined, details), administrator }, clock.now())
      await basis.record(db, 'created', { ...change, userId: user.id })
      return user
    }),

  update: (id, details, change) =>
    basis.changing(change, async (db) => {
      const before = await basis.stored(db, id)
      const user = await store.update(db, id, { details: merged(before, details), at: clock.now() })
      if (user.email?.toLowerCase() !== before.email?.toLowerCase())
        await addressChanged(db, { ...change, before, after: user })
      await basis.record(db, 'updated', { ...change, userId: id })
      return user
    }),

  delete: (id, change) =>
    basis.changing(change, async (db) => {
      const before = await basis.stored(db, id)
      await endEverything(db, id)
      await store.delete(db, id)
      await basis.keepOneAdministrator(db, before)
      await basis.record(db, 'deleted', { ...change, userId: id })
    }),
})

const standing = ({ store, clock, endEverything }: ChangeDependencies, basis: Basis): Standing => {
  const set = (id: string, change: Change, rule: Rule): Promise<User> =>
    basis.changing(change, async (db) => {
      const before = await basis.stored(db, id)
      const data = rule(before)
      if (data === undefined) return before
      const user = await store.set(db, id, { ...data, updatedAt: clock.now() })
      await basis.keepOneAdministrator(db, before)
      if (data.disabledAt) await endEverything(db, id)
      await basis.record(db, actionOf(data), { ...change, userId: id })
      return user
    })

  return {
    disable: (id, change) =>
      set(id, change, (before) => (before.disabledAt === null ? { disabledAt: clock.now() } : undefined)),
    enable: (id, change) =>
      set(id, change, (before) => (before.disabledAt === null ? undefined : { disabledAt: null })),
    setAdministrator: (id, administrator, change) =>
      set(id, change, (before) => (before.administrator === administrator ? undefined : { administrator })),
  }
}

const actionOf = ({ disabledAt, administrator }: NonNullable<ReturnType<Rule>>): string => {
  if (disabledAt !== undefined) return disabledAt === null ? 'enabled' : 'disabled'
  return administrator ? 'administrator_added' : 'administrator_removed'
}
