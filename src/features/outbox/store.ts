import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'

export interface NewRow {
  readonly id: string
  readonly topic: string
  readonly sealed: string
  readonly createdAt: Date
  readonly triesUntil: Date
}

/** What is due, and the count of its attempts by which a claim knows that nobody came before. */
export interface DueRow {
  readonly id: string
  readonly sealed: string
  readonly attempts: number
  readonly createdAt: Date
  readonly triesUntil: Date
}

export interface Row extends DueRow {
  readonly availableAt: Date
  readonly abandonedAt: Date | null
  readonly lastError: string | null
}

const columns = { id: true, sealed: true, attempts: true, createdAt: true, triesUntil: true } as const

const openDelivering = ({ db }: Storage) => ({
  async insert(within: DatabaseTransaction, rows: readonly NewRow[]): Promise<void> {
    await within.outboxMessage.createMany({
      data: rows.map((row) => ({ ...row, availableAt: row.createdAt })),
    })
  },

  /** The oldest ones that are due. */
  due: (topic: string, at: Date, limit: number): Promise<readonly DueRow[]> =>
    db.outboxMessage.findMany({
      where: { topic, abandonedAt: null, availableAt: { lte: at } },
      orderBy: [{ availableAt: 'asc' }, { id: 'asc' }],
      take: limit,
      select: columns,
    }),

  /** True for exactly one of all who found it due; nobody else does before `leasedUntil`. */
  claim: async ({ id, attempts }: DueRow, at: Date, leasedUntil: Date): Promise<boolean> =>
    (
      await db.outboxMessage.updateMany({
        where: { id, attempts, abandonedAt: null, availableAt: { lte: at } },
        data: { attempts: attempts + 1, availableAt: leasedUntil, leasedUntil },
      })
    ).count === 1,

  async remove(id: string): Promise<void> {
    await db.outboxMessage.deleteMany({ where: { id } })
  },

  /** Only by the claim that was the `attempts`-th: a later one has its own to say. */
  async postpone(
    { id, attempts }: DueRow,
    change: {
      readonly availableAt?: Date
      readonly abandonedAt?: Date
      readonly lastError?: string
    },
  ): Promise<void> {
    await db.outboxMessage.updateMany({ where: { id, attempts }, data: { ...change, leasedUntil: null } })
  },
})

const openQueue = ({ db }: Storage) => ({
  list: (topic: string, limit: number): Promise<readonly Row[]> =>
    db.outboxMessage.findMany({
      where: { topic },
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      take: limit,
      select: { ...columns, availableAt: true, abandonedAt: true, lastError: true },
    }),

  async retry(
    { topic, id }: { readonly topic: string; readonly id: string | undefined },
    times: { readonly availableAt: Date; readonly triesUntil: Date },
  ): Promise<number> {
    const { count } = await db.outboxMessage.updateMany({
      where: {
        topic,
        ...(id !== undefined && { id }),
        // What is under way is left to whoever has it.
        OR: [{ leasedUntil: null }, { leasedUntil: { lte: times.availableAt } }],
      },
      data: { ...times, abandonedAt: null },
    })
    return count
  },

  /** Removes at most one batch of what was given up before `limit`; true when more may be left. */
  removeAbandoned(limit: Date): Promise<boolean> {
    const where = { abandonedAt: { lt: limit } }
    return removeBatch(
      (take) => db.outboxMessage.findMany({ where, select: { id: true }, take }),
      (rows) => db.outboxMessage.deleteMany({ where: { ...where, id: { in: rows.map(({ id }) => id) } } }),
    )
  },
})

export const openOutboxStore = (storage: Storage) => ({ ...openDelivering(storage), ...openQueue(storage) })
export type OutboxStore = ReturnType<typeof openOutboxStore>
