import { newId } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { AuditEvent } from './audit.ts'

const batch = 1_000

export const openAuditStore = (storage: Storage) => ({
  async insert(event: AuditEvent, at: Date, db: DatabaseTransaction = storage.db): Promise<void> {
    const { action, outcome, actor, userId, clientId, request, detail = {} } = event
    await db.auditEvent.createMany({
      data: [
        {
          id: newId(),
          at,
          action,
          outcome,
          actor: actor === undefined ? null : actor.kind === 'user' ? `user:${actor.userId}` : actor.kind,
          userId: userId ?? null,
          clientId: clientId ?? null,
          address: request?.address ?? null,
          requestId: request?.requestId ?? null,
          detail: JSON.stringify(detail),
        },
      ],
    })
  },

  /** Removes at most one batch of entries from before `limit`; true when more may be left. */
  async removeBefore(limit: Date): Promise<boolean> {
    const rows = await storage.db.auditEvent.findMany({
      where: { at: { lt: limit } },
      select: { id: true },
      take: batch,
    })
    await storage.db.auditEvent.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } })
    return rows.length === batch
  },
})
