import { after, type Clock } from '../kernel/clock.ts'
import { hashSecret } from '../kernel/ids.ts'
import type { Sealing } from '../kernel/sealing.ts'
import type { Storage } from '../storage/storage.ts'
import { sealedRow } from './artefacts.ts'
import { type Payload, withoutIdentifier } from './payload.ts'

/** How long the identifier before a rotation is still understood, for requests that were under way. */
const graceSeconds = 10
const attempts = 20

export interface SessionStore {
  save(id: string, payload: Payload, ttlSeconds: number): Promise<void>
  find(id: string): Promise<Payload | undefined>
  /** Ends the session and every token that lives only as long as it does. */
  end(uid: string): Promise<void>
}

interface Seen {
  readonly version: number
  readonly authorizations: Payload
}

interface Stored extends Seen {
  readonly id: string
  readonly userId: string | null
}

export interface SessionDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
  /** The object that stands for the current request; what was read in it is the base of what is written in it. */
  readonly currentRequest: () => object | undefined
}

/**
 * One row per session, whatever its identifier at the moment. The library writes sessions whole and last-write-wins, so
 * two tabs would undo each other's sign-ins at applications: a write that finds the row changed since its request read
 * it takes over what the other one added.
 */
export function openSessions({ storage, clock, sealing, currentRequest }: SessionDependencies): SessionStore {
  const { db } = storage
  const model = 'Session'
  const seen = new WeakMap<object, Map<string, Seen>>()

  const select = storage.statement(
    `SELECT id, payload, sealed_id, version FROM artefact
     WHERE model = '${model}' AND expires_at > ? AND (id = ? OR (previous_id = ? AND rotated_at > ?))`,
  )
  const rewrite = storage.statement(
    `UPDATE artefact SET payload = ?, sealed_id = ?, user_id = ?, expires_at = ?, version = ?
     WHERE model = '${model}' AND id = ? AND session_uid = ? AND version = ?`,
  )

  const remember = (uid: string, entry: Seen): void => {
    const request = currentRequest()
    if (request === undefined) return
    if (!seen.has(request)) seen.set(request, new Map())
    seen.get(request)?.set(uid, entry)
  }

  const readAgain = async (uid: string): Promise<Stored | undefined> => {
    const row = await db.artefact.findFirst({ where: { model, sessionUid: uid } })
    if (row === null) return undefined
    const { authorizations = {} } = JSON.parse(row.payload) as { authorizations?: Payload }
    return { version: row.version, authorizations, id: row.id, userId: row.userId }
  }

  const columns = (hash: string, id: string, payload: Payload, ttlSeconds: number) => ({
    payload: withoutIdentifier(payload),
    userId: (payload.accountId as string | undefined) ?? null,
    sealedId: sealing.seal(id, sealedRow(model, hash)),
    expiresAt: after(clock.now(), ttlSeconds),
  })

  /** True when the row was as this request had read it. */
  async function replace(
    id: string,
    payload: Payload,
    options: { readonly ttlSeconds: number; readonly base: Seen },
  ): Promise<boolean> {
    const hash = hashSecret(id)
    const where = { model, sessionUid: payload.uid as string, version: options.base.version }
    const row = { ...columns(hash, id, payload, options.ttlSeconds), version: options.base.version + 1 }
    const { sealedId, userId, expiresAt, version } = row
    const same = await rewrite.run(
      row.payload,
      sealedId,
      userId,
      expiresAt,
      version,
      hash,
      where.sessionUid,
      where.version,
    )
    if (same === 1) return true
    const current = await readAgain(payload.uid as string)
    if (current === undefined || current.version !== options.base.version) return false
    // An identifier from before the sign-in must not lead to the signed-in session, not even for a moment.
    const samePerson = current.userId !== null && current.userId === row.userId
    const rotation = { id: hash, previousId: samePerson ? current.id : null, rotatedAt: clock.now() }
    return (await db.artefact.updateMany({ where, data: { ...row, ...rotation } })).count === 1
  }

  return {
    async save(id, payload, ttlSeconds) {
      const uid = payload.uid as string
      const request = currentRequest()
      let base: Seen | undefined = request === undefined ? undefined : seen.get(request)?.get(uid)
      const loaded = base?.authorizations ?? {}
      let merged = payload
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        if (base !== undefined && (await replace(id, merged, { ttlSeconds, base }))) {
          return remember(uid, {
            version: base.version + 1,
            authorizations: (merged.authorizations ?? {}) as Payload,
          })
        }
        const current = await readAgain(uid)
        if (current === undefined && base !== undefined) return // ended meanwhile: a session that is over stays over
        if (current === undefined) return await insert(id, payload, ttlSeconds)
        merged = {
          ...payload,
          authorizations: merge(
            loaded,
            payload.authorizations as Payload | undefined,
            current.authorizations,
          ),
        }
        base = current
      }
      throw new Error('A session was changed too often at the same time.')
    },

    async find(id) {
      const hash = hashSecret(id)
      const now = clock.now()
      const [row] = await select.rows(now, hash, hash, after(now, -graceSeconds))
      if (row === undefined) return undefined
      const [rowId, stored, sealedId, version] = row as readonly [string, string, string | null, number]
      const payload = JSON.parse(stored) as Payload
      remember(payload.uid as string, {
        version,
        authorizations: structuredClone((payload.authorizations ?? {}) as Payload),
      })
      return { ...payload, jti: rowId === hash ? id : sealing.open(sealedId ?? '', sealedRow(model, rowId)) }
    },

    async end(uid) {
      await storage.transaction(async (transaction) => {
        await transaction.artefact.deleteMany({ where: { model, sessionUid: uid } })
        await transaction.artefact.deleteMany({ where: { model: 'Interaction', sessionUid: uid } })
      })
    },
  }

  async function insert(id: string, payload: Payload, ttlSeconds: number): Promise<void> {
    const hash = hashSecret(id)
    const row = columns(hash, id, payload, ttlSeconds)
    await db.artefact.create({
      data: { model, id: hash, sessionUid: payload.uid as string, createdAt: clock.now(), ...row },
    })
    remember(payload.uid as string, { version: 0, authorizations: (payload.authorizations ?? {}) as Payload })
  }
}

/** What this request wrote, plus what others added since it read; what it removed stays removed. */
function merge(loaded: Payload, written: Payload = {}, stored: Payload): Payload {
  const added = Object.entries(stored).filter(([clientId]) => !(clientId in loaded) && !(clientId in written))
  return { ...written, ...Object.fromEntries(added) }
}
