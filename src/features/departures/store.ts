import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Departure } from './departures.ts'

const shown = { requestedAt: true, dueAt: true } as const

export const openDepartureStore = (storage: Storage) => ({
  async find(userId: string, db: DatabaseTransaction = storage.db): Promise<Departure | undefined> {
    return (await db.departure.findUnique({ where: { userId }, select: shown })) ?? undefined
  },

  async insert(db: DatabaseTransaction, userId: string, departure: Departure): Promise<void> {
    await db.departure.create({ data: { userId, ...departure }, select: { userId: true } })
  },

  /** True for the one call that removes it; with `dueBy` only if its time has come by then. */
  remove: async (db: DatabaseTransaction, userId: string, dueBy?: Date): Promise<boolean> =>
    (
      await db.departure.deleteMany({
        where: { userId, ...(dueBy !== undefined && { dueAt: { lte: dueBy } }) },
      })
    ).count === 1,

  async due(at: Date, limit: number): Promise<readonly string[]> {
    const rows = await storage.db.departure.findMany({
      where: { dueAt: { lte: at } },
      select: { userId: true },
      orderBy: { dueAt: 'asc' },
      take: limit,
    })
    return rows.map(({ userId }) => userId)
  },

  async postpone(userId: string, dueAt: Date): Promise<void> {
    await storage.db.departure.updateMany({ where: { userId }, data: { dueAt } })
  },

  /** Active administrators who are leaving. */
  countLeavingAdministrators: (db: DatabaseTransaction): Promise<number> =>
    db.departure.count({ where: { user: { administrator: true, disabledAt: null } } }),
})
export type DepartureStore = ReturnType<typeof openDepartureStore>
