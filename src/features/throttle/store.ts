import { hashSecret } from '../../kernel/ids.ts'
import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Policy } from './throttle.ts'

/** The answer to one attempt. Numbers are JavaScript's on both databases. */
export type Count =
  | { readonly admitted: true; readonly failures: number }
  | { readonly admitted: false; readonly allowedAt: Date }

interface CountedRow {
  readonly failures: number | bigint
}

/**
 * One statement decides and counts, so that parallel attempts in any number of processes are counted exactly: the row
 * is inserted or, if its wait is over, updated; where nothing comes back the wait is not over. rate-limiter-flexible's
 * Prisma store counts exactly too, but it cannot grow the waits, lets refused attempts prolong them, and asks no clock
 * but the system's.
 *
 * Instants are passed as milliseconds, since the databases disagree on arithmetic with dates.
 */
const count =
  ({ db }: Storage) =>
  async (key: string, policy: Policy, at: Date): Promise<Count> => {
    const { allowance } = policy
    const now = at.getTime()
    const first = policy.firstWaitSeconds * 1000
    const most = Math.max(first, policy.maximumWaitSeconds * 1000)
    const forget = policy.forgetSeconds * 1000
    const doublings = Math.ceil(Math.log2(most / first))
    // No wait is the beginning of time, not now: of parallel attempts the later one may carry the earlier instant.
    const begin = allowance > 1 ? 0 : now + first
    const ends = Math.max(now, begin) + forget

    const rows = await db.$queryRaw<CountedRow[]>`
      INSERT INTO throttle_counter (key, failures, allowed_at, window_ends_at)
      VALUES (${key}, 1, CAST(${begin} AS BIGINT), CAST(${ends} AS BIGINT))
      ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN throttle_counter.window_ends_at <= CAST(${now} AS BIGINT) THEN 1
                        ELSE throttle_counter.failures + 1 END,
        allowed_at = CASE
          WHEN throttle_counter.window_ends_at <= CAST(${now} AS BIGINT) THEN CAST(${begin} AS BIGINT)
          WHEN throttle_counter.failures + 1 < CAST(${allowance} AS INTEGER) THEN CAST(0 AS BIGINT)
          WHEN throttle_counter.failures + 1 - CAST(${allowance} AS INTEGER) >= CAST(${doublings} AS INTEGER)
            THEN CAST(${now + most} AS BIGINT)
          ELSE CAST(${now} AS BIGINT)
            + (CAST(${first} AS BIGINT) << (throttle_counter.failures + 1 - CAST(${allowance} AS INTEGER))) END,
        window_ends_at = CAST(${now + most + forget} AS BIGINT)
      WHERE throttle_counter.allowed_at <= CAST(${now} AS BIGINT)
      RETURNING failures`

    const [row] = rows
    if (row !== undefined) return { admitted: true, failures: Number(row.failures) }
    const blocked = await db.throttleCounter.findUnique({ where: { key }, select: { allowedAt: true } })
    return { admitted: false, allowedAt: new Date(Number(blocked?.allowedAt ?? now)) }
  }

const openCounters = (storage: Storage) => ({
  /** Counts a failure under `key`, unless its wait is not over. */
  count: count(storage),

  /** Forgets the failures under `key`. */
  async clear(key: string): Promise<void> {
    await storage.db.throttleCounter.deleteMany({ where: { key } })
  },

  /** Takes one failure back, with the wait it brought unless others failed since; which one it was may not be known. */
  async takeBack(key: string, failures?: number): Promise<void> {
    const { throttleCounter } = storage.db
    if (failures !== undefined) {
      const own = { where: { key, failures }, data: { failures: { decrement: 1 }, allowedAt: 0n } }
      if ((await throttleCounter.updateMany(own)).count > 0) return
    }
    await throttleCounter.updateMany({
      where: { key, failures: { gt: 0 } },
      data: { failures: { decrement: 1 } },
    })
  },

  /** Removes at most one batch of counters that are over; true when more may be left. */
  removeEnded(at: Date): Promise<boolean> {
    const where = { windowEndsAt: { lte: BigInt(at.getTime()) } }
    return removeBatch(
      (take) => storage.db.throttleCounter.findMany({ where, select: { key: true }, take }),
      // Asked again at removal: a row found a moment ago may have been counted up since.
      (rows) =>
        storage.db.throttleCounter.deleteMany({
          where: { ...where, key: { in: rows.map(({ key }) => key) } },
        }),
    )
  },
})

const openDevices = ({ db }: Storage) => ({
  async isKnown(userId: string, device: string, at: Date): Promise<boolean> {
    const found = await db.knownDevice.findFirst({
      where: { userId, deviceHash: hashSecret(device), expiresAt: { gt: at } },
      select: { userId: true },
    })
    return found !== null
  },

  async remember(userId: string, device: string, expiresAt: Date): Promise<void> {
    const key = { userId, deviceHash: hashSecret(device) }
    await db.knownDevice.upsert({
      where: { userId_deviceHash: key },
      create: { ...key, expiresAt },
      update: { expiresAt },
    })
  },

  async rename(within: DatabaseTransaction, from: string, to: string): Promise<void> {
    await within.knownDevice.updateMany({
      where: { deviceHash: hashSecret(from) },
      data: { deviceHash: hashSecret(to) },
    })
  },

  /** As `removeEnded`. */
  async removeExpired(at: Date): Promise<boolean> {
    const where = { expiresAt: { lte: at } }
    return await removeBatch(
      (take) => db.knownDevice.findMany({ where, take, select: { userId: true, deviceHash: true } }),
      async (rows) => {
        for (const row of rows) await db.knownDevice.deleteMany({ where: { ...where, ...row } })
      },
    )
  },
})

export const openThrottleStore = (storage: Storage) => ({ ...openCounters(storage), ...openDevices(storage) })
export type ThrottleStore = ReturnType<typeof openThrottleStore>
