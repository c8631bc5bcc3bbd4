import { after, type Clock } from '../kernel/clock.ts'
import { hashSecret } from '../kernel/ids.ts'
import type { Sealing } from '../kernel/sealing.ts'
import { isUniqueViolation } from '../storage/errors.ts'
import type { DatabaseTransaction, Storage } from '../storage/storage.ts'
import { insertUnderGrant, isGiven } from './under-grant.ts'

export type Payload = Record<string, unknown>

/** How long a row stays after it expired: consumed ones prove a replay, interactions lead back to their client. */
const keptAfterExpirySeconds = 86_400
const batch = 500
/** Models whose identifier must be restored without being presented, so it is stored sealed. */
const restored = new Set(['Session', 'DeviceCode'])

export interface Artefacts {
  /** A code or token whose grant has ended is not stored, and so is worth nothing. */
  save(model: string, id: string, payload: Payload, ttlSeconds: number | undefined): Promise<void>
  /** False when the identifier was there already. */
  insertOnce(model: string, id: string, ttlSeconds: number): Promise<boolean>
  find(model: string, id: string): Promise<Payload | undefined>
  findBy(model: string, column: 'sessionUid' | 'userCode', value: string): Promise<Payload | undefined>
  /** One conditional write: true for exactly one of all callers. */
  consume(model: string, id: string): Promise<boolean>
  remove(model: string, id: string): Promise<void>
  removeByGrant(model: string, grantId: string): Promise<void>
  /** Ends a grant and every code and token that came from it. */
  endGrant(grantId: string): Promise<void>
  /** Marks an interaction as ended; its row stays a while and tells which client it belonged to. */
  endInteraction(id: string): Promise<void>
  interactionTrail(id: string): Promise<InteractionTrail | undefined>
  /** Everything that serves a user: sessions, tokens, codes, pending interactions. In the transaction of its cause. */
  endEverythingOfUser(db: DatabaseTransaction, userId: string): Promise<void>
  endEverythingOfClient(db: DatabaseTransaction, clientId: string): Promise<void>
  /** Removes at most one batch of rows that have been expired for long; true when more may be left. */
  removeExpired(): Promise<boolean>
}

export interface InteractionTrail {
  readonly clientId: string | undefined
  /** Still waiting for its person. */
  readonly pending: boolean
  /** The parameters of the authorization request. */
  readonly params: Payload
}

export interface ArtefactDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
}

export const sealedRow = (model: string, id: string): string => `artefact:${model}:${id}:sealed_id`

export function openArtefacts({ storage, clock, sealing }: ArtefactDependencies): Artefacts {
  const { db } = storage

  const live = () => ({ OR: [{ expiresAt: null }, { expiresAt: { gt: clock.now() } }] })

  const restore = (row: { model: string; id: string; payload: string; sealedId: string | null; consumedAt: Date | null }, jti?: string): Payload => {
    const payload = JSON.parse(row.payload) as Payload
    const identifier = jti ?? (row.sealedId === null ? undefined : sealing.open(row.sealedId, sealedRow(row.model, row.id)))
    return {
      ...payload,
      ...(identifier === undefined ? undefined : { jti: identifier }),
      ...(row.consumedAt === null ? undefined : { consumed: Math.floor(row.consumedAt.getTime() / 1000) }),
    }
  }

  return {
    async save(model, id, payload, ttlSeconds) {
      const hash = hashSecret(id)
      const columns = columnsOf(payload)
      const row = {
        ...columns,
        payload: withoutIdentifier(payload),
        expiresAt: ttlSeconds === undefined ? null : after(clock.now(), ttlSeconds),
      }
      if (isGiven(model) && columns.grantId !== null) {
        return await insertUnderGrant(storage, { ...row, model, id: hash, grantId: columns.grantId, createdAt: clock.now() })
      }
      const sealedId = restored.has(model) ? sealing.seal(id, sealedRow(model, hash)) : null
      await db.artefact.upsert({
        where: { model_id: { model, id: hash } },
        create: { model, id: hash, createdAt: clock.now(), ...row, sealedId },
        update: { ...row, sealedId },
        select: { id: true },
      })
    },

    async insertOnce(model, id, ttlSeconds) {
      try {
        const expiresAt = after(clock.now(), ttlSeconds)
        await db.artefact.create({
          data: { model, id: hashSecret(id), payload: '{}', createdAt: clock.now(), expiresAt },
          select: { id: true },
        })
        return true
      } catch (error) {
        if (isUniqueViolation(error)) return false
        throw error
      }
    },

    async find(model, id) {
      const row = await db.artefact.findUnique({ where: { model_id: { model, id: hashSecret(id) } } })
      if (row === null || (row.expiresAt !== null && row.expiresAt <= clock.now())) return undefined
      if (model === 'Interaction' && row.consumedAt !== null) return undefined
      return restore(row, id)
    },

    async findBy(model, column, value) {
      const row = await db.artefact.findFirst({ where: { model, [column]: value, ...live() } })
      return row === null ? undefined : restore(row)
    },

    async consume(model, id) {
      const now = clock.now()
      const { count } = await db.artefact.updateMany({
        where: { model, id: hashSecret(id), consumedAt: null, ...live() },
        data: { consumedAt: now },
      })
      return count === 1
    },

    async remove(model, id) {
      await db.artefact.deleteMany({ where: { model, id: hashSecret(id) } })
    },

    async removeByGrant(model, grantId) {
      await db.artefact.deleteMany({ where: { model, grantId } })
    },

    async endGrant(grantId) {
      await storage.transaction(async (transaction) => {
        await transaction.artefact.deleteMany({ where: { model: 'Grant', id: hashSecret(grantId) } })
        await transaction.artefact.deleteMany({ where: { grantId, model: { not: 'Interaction' } } })
      })
    },

    async endInteraction(id) {
      await db.artefact.updateMany({
        where: { model: 'Interaction', id: hashSecret(id) },
        data: { consumedAt: clock.now(), userId: null },
      })
    },

    async interactionTrail(id) {
      const row = await db.artefact.findUnique({ where: { model_id: { model: 'Interaction', id: hashSecret(id) } } })
      if (row === null) return undefined
      const pending = row.consumedAt === null && (row.expiresAt === null || row.expiresAt > clock.now())
      return { clientId: row.clientId ?? undefined, pending, params: (JSON.parse(row.payload) as { params: Payload }).params }
    },

    async endEverythingOfUser(transaction, userId) {
      await transaction.artefact.deleteMany({ where: { userId } })
    },

    async endEverythingOfClient(transaction, clientId) {
      await transaction.artefact.deleteMany({ where: { clientId } })
    },

    async removeExpired() {
      const limit = after(clock.now(), -keptAfterExpirySeconds)
      const rows = await db.artefact.findMany({
        where: { expiresAt: { lt: limit } },
        select: { model: true, id: true },
        orderBy: { expiresAt: 'asc' },
        take: batch,
      })
      for (const model of new Set(rows.map((row) => row.model))) {
        const ids = rows.filter((row) => row.model === model).map(({ id }) => id)
        await db.artefact.deleteMany({ where: { model, id: { in: ids }, expiresAt: { lt: limit } } })
      }
      return rows.length === batch
    },
  }
}

/** The payload as it is stored: without the identifier, which is a bearer secret. */
export const withoutIdentifier = ({ jti: _, ...payload }: Payload): string => JSON.stringify(payload)

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** What listing, revocation and cleaning look for. */
export function columnsOf(payload: Payload) {
  const session = payload.session as Payload | undefined
  const params = payload.params as Payload | undefined
  return {
    grantId: textOf(payload.grantId),
    sessionUid: textOf(payload.sessionUid) ?? textOf(payload.uid) ?? textOf(session?.uid),
    userId: textOf(payload.accountId) ?? textOf(session?.accountId),
    clientId: textOf(payload.clientId) ?? textOf(params?.client_id),
    userCode: textOf(payload.userCode),
  }
}
