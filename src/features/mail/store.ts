import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'

/** How many mails may go out under a key in so many seconds. */
export interface Window {
  readonly key: string
  readonly limit: number
  readonly seconds: number
}

const openCounters = ({ db }: Storage) => ({
  /**
   * Counts one mail; false where the window is full. One statement decides and counts, so that parallel ones in any
   * number of processes are counted exactly, and it is undone with the transaction whose mail it counts.
   */
  async count(within: DatabaseTransaction, { key, limit, seconds }: Window, at: Date): Promise<boolean> {
    const now = at.getTime()
    const ends = now + seconds * 1000
    const rows = await within.$queryRaw<unknown[]>`
      INSERT INTO mail_counter (key, sent, window_ends_at)
      VALUES (${key}, 1, CAST(${ends} AS BIGINT))
      ON CONFLICT (key) DO UPDATE SET
        sent = CASE WHEN mail_counter.window_ends_at <= CAST(${now} AS BIGINT) THEN 1
                    ELSE mail_counter.sent + 1 END,
        window_ends_at = CASE WHEN mail_counter.window_ends_at <= CAST(${now} AS BIGINT)
                              THEN CAST(${ends} AS BIGINT) ELSE mail_counter.window_ends_at END
      WHERE mail_counter.window_ends_at <= CAST(${now} AS BIGINT)
         OR mail_counter.sent < CAST(${limit} AS INTEGER)
      RETURNING sent`
    return rows.length === 1
  },

  /** Removes at most one batch of windows that are over; true when more may be left. */
  removeEnded(at: Date): Promise<boolean> {
    const where = { windowEndsAt: { lte: BigInt(at.getTime()) } }
    return removeBatch(
      (take) => db.mailCounter.findMany({ where, select: { key: true }, take }),
      // Asked again at removal: a window found a moment ago may have begun anew.
      (rows) => db.mailCounter.deleteMany({ where: { ...where, key: { in: rows.map(({ key }) => key) } } }),
    )
  },
})

/** A mail that development mode keeps, sealed. */
export interface CapturedRow {
  readonly id: string
  readonly sealed: string
  readonly createdAt: Date
}

const openCaptured = ({ db }: Storage) => ({
  /** Once, however often it is delivered. */
  async capture({ id, sealed, createdAt }: CapturedRow): Promise<void> {
    await db.capturedMail.upsert({
      where: { id },
      create: { id, sealed, createdAt },
      update: { sealed },
    })
  },

  newest: (limit: number): Promise<readonly CapturedRow[]> =>
    db.capturedMail.findMany({ orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take: limit }),

  findCaptured: (id: string): Promise<CapturedRow | null> => db.capturedMail.findUnique({ where: { id } }),

  /** As `removeEnded`. */
  removeCapturedBefore(limit: Date): Promise<boolean> {
    const where = { createdAt: { lt: limit } }
    return removeBatch(
      (take) => db.capturedMail.findMany({ where, select: { id: true }, take }),
      (rows) => db.capturedMail.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } }),
    )
  },
})

export const openMailStore = (storage: Storage) => ({ ...openCounters(storage), ...openCaptured(storage) })
export type MailStore = ReturnType<typeof openMailStore>
