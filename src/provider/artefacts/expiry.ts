import { after } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/storage.ts'

/** How long a row stays after it expired: consumed ones prove a replay, interactions lead back to their client. */
const keptAfterExpirySeconds = 86_400
const batch = 500

/** Removes at most one batch of artefacts that have been expired for long; true when more may be left. */
export async function removeExpired({ db }: Storage, now: Date): Promise<boolean> {
  const limit = after(now, -keptAfterExpirySeconds)
  const rows = await db.artefact.findMany({
    // Sessions go when their applications have been told (`Revocation.endExpiredSessions`).
    where: { expiresAt: { lt: limit }, OR: [{ model: { not: 'Session' } }, { userId: null }] },
    select: { model: true, id: true },
    orderBy: { expiresAt: 'asc' },
    take: batch,
  })
  for (const model of new Set(rows.map((row) => row.model))) {
    const ids = rows.filter((row) => row.model === model).map(({ id }) => id)
    await db.artefact.deleteMany({ where: { model, id: { in: ids }, expiresAt: { lt: limit } } })
  }
  return rows.length === batch
}
