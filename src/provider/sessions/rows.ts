import { after, type Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Storage } from '../../storage/storage.ts'
import { type Payload, withoutIdentifier } from '../artefacts/payload.ts'
import { sealedRow } from '../artefacts/rows.ts'

/** How long the identifier before a rotation is still understood, for requests that were under way. */
const graceSeconds = 10
const model = 'Session'

/** A session as the library writes it. */
export interface SessionWrite {
  readonly id: string
  readonly payload: Payload
  readonly ttlSeconds: number
}

export interface SessionRows {
  /** By its identifier, or for a moment by the one before. */
  find(id: string): Promise<{ readonly payload: Payload; readonly version: number } | undefined>
  findByUid(uid: string): Promise<{ readonly authorizations: Payload; readonly version: number } | undefined>
  insert(write: SessionWrite): Promise<void>
  /** True when the row was at `version` still; it goes along to another identifier. */
  replace(write: SessionWrite, version: number): Promise<boolean>
}

export interface SessionRowDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
}

/** One row per session, whatever its identifier at the moment; every write of it raises its version. */
export function openSessionRows({ storage, clock, sealing }: SessionRowDependencies): SessionRows {
  const { db } = storage
  const select = storage.statement(
    `SELECT id, payload, sealed_id, version FROM artefact
     WHERE model = '${model}' AND expires_at > ? AND (id = ? OR (previous_id = ? AND rotated_at > ?))`,
  )
  const columnsOf = columnsFor({ clock, sealing })

  return {
    async find(id) {
      const hash = hashSecret(id)
      const now = clock.now()
      const [row] = await select.rows(now, hash, hash, after(now, -graceSeconds))
      if (row === undefined) return undefined
      const [rowId, stored, sealedId, version] = row as readonly [string, string, string | null, number]
      const jti = rowId === hash ? id : sealing.open(sealedId ?? '', sealedRow(model, rowId))
      return { payload: { ...(JSON.parse(stored) as Payload), jti }, version }
    },

    async findByUid(uid) {
      const row = await db.artefact.findFirst({ where: { model, sessionUid: uid } })
      if (row === null) return undefined
      const { authorizations = {} } = JSON.parse(row.payload) as { authorizations?: Payload }
      return { version: row.version, authorizations }
    },

    async insert(write) {
      const sessionUid = write.payload.uid as string
      await db.artefact.create({ data: { model, sessionUid, createdAt: clock.now(), ...columnsOf(write) } })
    },

    replace: replacing(storage, { clock, columnsOf }),
  }
}

type ColumnsOf = ReturnType<typeof columnsFor>

const columnsFor =
  ({ clock, sealing }: Omit<SessionRowDependencies, 'storage'>) =>
  ({ id, payload, ttlSeconds }: SessionWrite) => {
    const hash = hashSecret(id)
    return {
      id: hash,
      payload: withoutIdentifier(payload),
      userId: (payload.accountId as string | undefined) ?? null,
      sealedId: sealing.seal(id, sealedRow(model, hash)),
      expiresAt: after(clock.now(), ttlSeconds),
    }
  }

/** When and how somebody signed in. */
const signInOf = ({ loginTs, acr, amr }: Payload): string => JSON.stringify([loginTs, acr, amr])

/** One statement where the identifier stays, which is nearly always; two where it is rotated. */
function replacing(
  storage: Storage,
  { clock, columnsOf }: { readonly clock: Clock; readonly columnsOf: ColumnsOf },
): SessionRows['replace'] {
  const rewrite = storage.statement(
    `UPDATE artefact SET payload = ?, sealed_id = ?, user_id = ?, expires_at = ?, version = ?
     WHERE model = '${model}' AND id = ? AND session_uid = ? AND version = ?`,
  )

  return async (write, version) => {
    const sessionUid = write.payload.uid as string
    const columns = columnsOf(write)
    const { id, payload, sealedId, userId, expiresAt } = columns
    const values = [payload, sealedId, userId, expiresAt, version + 1] as const
    if ((await rewrite.run(...values, id, sessionUid, version)) === 1) return true
    const current = await storage.db.artefact.findFirst({ where: { model, sessionUid } })
    if (current?.version !== version) return false
    // An identifier from before a sign-in, also one anew or a second step, must not lead to what came after it, not even
    // for a moment.
    const before = JSON.parse(current.payload) as Payload
    const sameSignIn =
      userId !== null && current.userId === userId && signInOf(before) === signInOf(write.payload)
    const rotation = { previousId: sameSignIn ? current.id : null, rotatedAt: clock.now() }
    const { count } = await storage.db.artefact.updateMany({
      where: { model, sessionUid, version },
      data: { ...columns, ...rotation, version: version + 1 },
    })
    return count === 1
  }
}
