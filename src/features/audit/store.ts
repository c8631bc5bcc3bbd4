import { longestUserAgent } from '../../kernel/http.ts'
import { newId } from '../../kernel/ids.ts'
import type { Cursor } from '../../kernel/paging.ts'
import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { AuditEvent, StoredEvent } from './audit.ts'

export const openAuditStore = (storage: Storage) => ({ ...writing(storage), ...reading(storage) })
export type AuditStore = ReturnType<typeof openAuditStore>

const writing = (storage: Storage) => ({
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
          userAgent: request?.userAgent.slice(0, longestUserAgent) ?? null,
          detail: JSON.stringify(detail),
        },
      ],
    })
  },

  /** Removes at most one batch of entries from before `limit`; true when more may be left. */
  removeBefore: (limit: Date): Promise<boolean> =>
    removeBatch(
      (take) => storage.db.auditEvent.findMany({ where: { at: { lt: limit } }, select: { id: true }, take }),
      (rows) => storage.db.auditEvent.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } }),
    ),
})

const reading = (storage: Storage) => ({
  /** What happened to a user, the latest first; with `before` from there on backwards. */
  async listOfUser(
    userId: string,
    { limit, before }: { readonly limit: number; readonly before?: Cursor | undefined },
  ): Promise<readonly StoredEvent[]> {
    const earlier =
      before === undefined
        ? {}
        : { OR: [{ at: { lt: before.createdAt } }, { at: before.createdAt, id: { lt: before.id } }] }
    const rows = await storage.db.auditEvent.findMany({
      where: { userId, ...earlier },
      orderBy: [{ at: 'desc' }, { id: 'desc' }],
      take: limit,
    })
    return rows.map(({ id, at, action, outcome, actor, clientId, address, userAgent, detail }) => ({
      id,
      at,
      action,
      outcome: outcome === 'failure' ? 'failure' : 'success',
      actor,
      clientId,
      address,
      userAgent,
      detail: JSON.parse(detail) as StoredEvent['detail'],
    }))
  },
})
