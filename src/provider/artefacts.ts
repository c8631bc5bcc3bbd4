import { after, type Clock } from '../kernel/clock.ts'
import { hashSecret } from '../kernel/ids.ts'
import type { Sealing } from '../kernel/sealing.ts'
import { isUniqueViolation } from '../storage/errors.ts'
import type { DatabaseTransaction, Storage } from '../storage/storage.ts'
import { type FoundRow, openArtefactRows } from './artefact-rows.ts'
import { armed, disarmed } from './disarmed.ts'
import { type Payload, withoutIdentifier } from './payload.ts'

/** How long a row stays after it expired: consumed ones prove a replay, interactions lead back to their client. */
const keptAfterExpirySeconds = 86_400
const batch = 500
/** What a grant gives to its client. */
const given = new Set(['AuthorizationCode', 'AccessToken', 'RefreshToken'])
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
const pushedRow = (id: string): string => `artefact:Interaction:${id}:payload.parJti`

export function openArtefacts({ storage, clock, sealing }: ArtefactDependencies): Artefacts {
  const { db } = storage
  const rows = openArtefactRows(storage)

  const live = () => ({ OR: [{ expiresAt: null }, { expiresAt: { gt: clock.now() } }] })

  const restore = (row: FoundRow, jti?: string): Payload => {
    const payload = JSON.parse(row.payload) as Payload
    const identifier =
      jti ?? (row.sealedId === null ? undefined : sealing.open(row.sealedId, sealedRow(row.model, row.id)))
    return {
      ...payload,
      ...(identifier === undefined ? undefined : { jti: identifier }),
      ...(row.consumedAt === null ? undefined : { consumed: Math.floor(row.consumedAt.getTime() / 1000) }),
    }
  }

  return {
    async save(model, id, payload, ttlSeconds) {
      const hash = hashSecret(id)
      const row = {
        ...columnsOf(payload),
        payload: withoutIdentifier(
          model === 'Interaction' ? disarmed(payload, id, { sealing, row: pushedRow(hash) }) : payload,
        ),
        expiresAt: ttlSeconds === undefined ? null : after(clock.now(), ttlSeconds),
      }
      const sealedId = restored.has(model) ? sealing.seal(id, sealedRow(model, hash)) : null
      const stored = { model, id: hash, createdAt: clock.now(), ...row, sealedId }
      if (given.has(model) && stored.grantId !== null)
        await rows.insertUnderGrant({ ...stored, grantId: stored.grantId })
      else await rows.upsert(stored)
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
      const row = await rows.find(model, hashSecret(id))
      if (row === undefined || (row.expiresAt !== null && row.expiresAt <= clock.now())) return undefined
      if (model === 'Interaction' && row.consumedAt !== null) return undefined
      const payload = restore(row, id)
      return model === 'Interaction' ? armed(payload, id, { sealing, row: pushedRow(row.id) }) : payload
    },

    async findBy(model, column, value) {
      const row = await rows.findBy(column, value, { model, now: clock.now() })
      return row === undefined ? undefined : restore(row)
    },

    consume: (model, id) => rows.consume(model, hashSecret(id), clock.now()),

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
      const row = await db.artefact.findUnique({
        where: { model_id: { model: 'Interaction', id: hashSecret(id) } },
      })
      if (row === null) return undefined
      const pending = row.consumedAt === null && (row.expiresAt === null || row.expiresAt > clock.now())
      return {
        clientId: row.clientId ?? undefined,
        pending,
        params: (JSON.parse(row.payload) as { params: Payload }).params,
      }
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

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** What listing, revocation and cleaning look for. */
export function columnsOf(payload: Payload) {
  const session = payload.session as Payload | undefined
  const params = payload.params as Payload | undefined
  // Of an interaction: who has just signed in, before the session knows it.
  const { login } = (payload.result ?? {}) as { login?: Payload }
  return {
    grantId: textOf(payload.grantId),
    sessionUid: textOf(payload.sessionUid) ?? textOf(payload.uid) ?? textOf(session?.uid),
    userId: textOf(payload.accountId) ?? textOf(login?.accountId) ?? textOf(session?.accountId),
    clientId: textOf(payload.clientId) ?? textOf(params?.client_id),
    userCode: textOf(payload.userCode),
  }
}
