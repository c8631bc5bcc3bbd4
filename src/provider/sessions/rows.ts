import { after, type Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'
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

/** A sign-in that is not in a session yet. */
export interface SignIn {
  readonly userId: string
  /** Whether nobody has ended it; asked in the transaction that writes the session, and with the user locked. */
  stands(db: DatabaseTransaction): Promise<boolean>
}

/** The sign-in was ended while the request that brings it to its end was under way. */
export class SignInEnded extends Error {}

export interface SessionRows {
  /** By its identifier, or for a moment by the one before. */
  find(id: string): Promise<{ readonly payload: Payload; readonly version: number } | undefined>
  findByUid(uid: string): Promise<{ readonly authorizations: Payload; readonly version: number } | undefined>
  /** True when the row was at `version` still; it goes along to another identifier. */
  replace(write: SessionWrite, version: number): Promise<boolean>
  /** The same, or a new row where there was none. */
  write(write: SessionWrite, version: number | undefined): Promise<boolean>
  /**
   * The same for what somebody is signed in by, written together with the last look at the sign-in, or not at all. Throws
   * `SignInEnded`.
   */
  signIn(write: SessionWrite, version: number | undefined, by: SignIn): Promise<boolean>
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
  const replace = replacing(storage, { clock, columnsOf })
  const newRow = (write: SessionWrite) => {
    const sessionUid = write.payload.uid as string
    return { model, sessionUid, createdAt: clock.now(), ...columnsOf(write) }
  }

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

    replace,
    async write(write, version) {
      if (version !== undefined) return await replace(write, version)
      await db.artefact.create({ data: newRow(write) })
      return true
    },

    signIn: (write, version, { userId, stands }) =>
      storage.transaction(async (within) => {
        // Whoever ends all sessions of the user comes before this, and then the sign-in has ended, or finds this one.
        await lockUser(storage.dialect, within, userId)
        if (!(await stands(within))) throw new SignInEnded()
        if (version === undefined) {
          await within.artefact.create({ data: newRow(write) })
          return true
        }
        const { count } = await within.artefact.updateMany({
          where: { model, sessionUid: write.payload.uid as string, version },
          data: { ...columnsOf(write), previousId: null, rotatedAt: clock.now(), version: version + 1 },
        })
        return count === 1
      }),
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

/** Who signed in, when and how. */
export const signInOf = ({ accountId, loginTs, acr, amr }: Payload): string =>
  JSON.stringify([accountId, loginTs, acr, amr])

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
    const sameSignIn = userId !== null && signInOf(before) === signInOf(write.payload)
    const rotation = { previousId: sameSignIn ? current.id : null, rotatedAt: clock.now() }
    const { count } = await storage.db.artefact.updateMany({
      where: { model, sessionUid, version },
      data: { ...columns, ...rotation, version: version + 1 },
    })
    return count === 1
  }
}
