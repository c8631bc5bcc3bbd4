import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { State, StoredTelling, Telling } from './telling.ts'

export interface TellingFilter {
  readonly clientId?: string
  readonly userId?: string
  readonly sessionUid?: string
  readonly state?: string
}

const openTelling = ({ db }: Storage) => ({
  async insert(within: DatabaseTransaction, tellings: readonly Telling[]): Promise<void> {
    if (tellings.length > 0) await within.applicationLogout.createMany({ data: [...tellings] })
  },

  find: (id: string): Promise<StoredTelling | null> => db.applicationLogout.findUnique({ where: { id } }),

  /** True for the one that ends it. */
  async end(
    id: string,
    { state, reason, at }: { readonly state: State; readonly reason: string | null; readonly at: Date },
  ): Promise<boolean> {
    const { count } = await db.applicationLogout.updateMany({
      where: { id, state: 'waiting' },
      data: { state, reason, endedAt: at, lastTriedAt: at, attempts: { increment: 1 } },
    })
    return count === 1
  },

  /** A failure that is not the last. */
  async note(id: string, { reason, at }: { readonly reason: string; readonly at: Date }): Promise<void> {
    await db.applicationLogout.updateMany({
      where: { id, state: 'waiting' },
      data: { reason, lastTriedAt: at, attempts: { increment: 1 } },
    })
  },
})

const openLooking = ({ db }: Storage) => ({
  /** The newest first. */
  list: (filter: TellingFilter, limit: number): Promise<readonly StoredTelling[]> =>
    db.applicationLogout.findMany({
      where: filter,
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
      take: limit,
    }),

  /** All that is not delivered, or one of them. */
  untold: (id: string | undefined): Promise<readonly { readonly id: string }[]> =>
    db.applicationLogout.findMany({
      where: { state: { not: 'delivered' }, ...(id !== undefined && { id }) },
      select: { id: true },
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    }),

  /** False where it was delivered meanwhile. */
  async again(within: DatabaseTransaction, id: string, triesUntil: Date): Promise<boolean> {
    const { count } = await within.applicationLogout.updateMany({
      where: { id, state: { not: 'delivered' } },
      data: { state: 'waiting', triesUntil, endedAt: null },
    })
    return count === 1
  },

  /** Removes at most one batch of what is over for long, in one way or another; true when more may be left. */
  removeEnded(limit: Date) {
    const where = { OR: [{ endedAt: { lt: limit } }, { triesUntil: { lt: limit } }] }
    return removeBatch(
      (take) => db.applicationLogout.findMany({ where, select: { id: true }, take }),
      (rows) =>
        db.applicationLogout.deleteMany({ where: { ...where, id: { in: rows.map(({ id }) => id) } } }),
    )
  },
})

export const openApplicationLogoutStore = (storage: Storage) => ({
  ...openTelling(storage),
  ...openLooking(storage),
})
export type ApplicationLogoutStore = ReturnType<typeof openApplicationLogoutStore>
