import { hashSecret } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import { openRowLoader } from './row-loader.ts'

/** An artefact as it is stored. */
export interface ArtefactRow {
  readonly model: string
  readonly id: string
  readonly payload: string
  readonly sealedId: string | null
  readonly grantId: string | null
  readonly sessionUid: string | null
  readonly userId: string | null
  readonly clientId: string | null
  readonly userCode: string | null
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

type OnceRow = Pick<ArtefactRow, 'model' | 'id' | 'createdAt' | 'expiresAt'>

/** What reading one gives. */
export interface FoundRow {
  readonly model: string
  readonly id: string
  readonly payload: string
  readonly sealedId: string | null
  readonly expiresAt: Date | null
  readonly consumedAt: Date | null
}

/** What the stored identifier of an artefact is sealed for. */
export const sealedRow = (model: string, id: string): string => `artefact:${model}:${id}:sealed_id`

const columns =
  'model, id, payload, sealed_id, grant_id, session_uid, user_id, client_id, user_code, created_at, expires_at'
export const foundRows = 'SELECT model, id, payload, sealed_id, expires_at, consumed_at FROM artefact'
const live = '(expires_at IS NULL OR expires_at > ?)'

/** The statements that every token request runs. */
export function openArtefactRows(storage: Storage) {
  const { statement, dialect } = storage
  const upsert = statement(
    `INSERT INTO artefact (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, sealed_id = excluded.sealed_id,
       grant_id = excluded.grant_id, session_uid = excluded.session_uid, user_id = excluded.user_id,
       client_id = excluded.client_id, user_code = excluded.user_code, expires_at = excluded.expires_at`,
  )
  const instantParameter = dialect === 'postgresql' ? '?::timestamp(3)' : '?'
  // PostgreSQL holds the grant's row meanwhile: whoever ends it waits, and then removes this one too.
  const underGrant = statement(
    `INSERT INTO artefact (${columns})
     SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ${instantParameter}, ${instantParameter}
     FROM artefact AS parent WHERE parent.model = 'Grant' AND parent.id = ?
     ${dialect === 'postgresql' ? 'FOR KEY SHARE' : ''}`,
  )
  const rewrite = statement(
    `UPDATE artefact SET payload = ?, user_id = ?, session_uid = ?, expires_at = ? WHERE model = ? AND id = ? AND consumed_at IS NULL`,
  )
  const insertOnce = statement(
    `INSERT INTO artefact (model, id, payload, created_at, expires_at) VALUES (?, ?, '{}', ?, ?)
     ON CONFLICT (model, id) DO NOTHING`,
  )
  const load = openRowLoader(storage, foundRows)
  const selectSession = statement(`${foundRows} WHERE session_uid = ? AND model = 'Session' AND ${live}`)
  const consume = statement(
    `UPDATE artefact SET consumed_at = ? WHERE model = ? AND id = ? AND consumed_at IS NULL AND ${live}`,
  )

  return {
    upsert: async (row: ArtefactRow): Promise<void> => void (await upsert.run(...valuesOf(row))),

    /** False where there is one already. */
    insertOnce: async ({ model, id, createdAt, expiresAt }: OnceRow): Promise<boolean> =>
      (await insertOnce.run(model, id, createdAt, expiresAt)) === 1,

    /** Writes a row that is there and not consumed; one that was removed meanwhile does not come back. */
    /** False where there is none any more. */
    async rewrite({ payload, userId, sessionUid, expiresAt, model, id }: ArtefactRow): Promise<boolean> {
      return (await rewrite.run(payload, userId, sessionUid, expiresAt, model, id)) === 1
    },

    /** Stores what a grant gives, if the grant is still there, so that one which ends at the same moment leaves nothing behind. */
    async insertUnderGrant(row: ArtefactRow & { readonly grantId: string }): Promise<void> {
      await underGrant.run(...valuesOf(row), hashSecret(row.grantId))
    },

    async find(model: string, id: string): Promise<FoundRow | undefined> {
      return readRow(await load({ model, id }))
    },

    async findSession(uid: string, now: Date): Promise<FoundRow | undefined> {
      const [row] = await selectSession.rows(uid, now)
      return readRow(row)
    },

    /** True for the one call that finds it unconsumed and alive. */
    consume: async (model: string, id: string, now: Date): Promise<boolean> =>
      (await consume.run(now, model, id, now)) === 1,
  }
}

const valuesOf = ({
  model,
  id,
  payload,
  sealedId,
  grantId,
  sessionUid,
  userId,
  clientId,
  userCode,
  createdAt,
  expiresAt,
}: ArtefactRow) =>
  [
    model,
    id,
    payload,
    sealedId,
    grantId,
    sessionUid,
    userId,
    clientId,
    userCode,
    createdAt,
    expiresAt,
  ] as const

export function readRow(row: readonly unknown[] | undefined): FoundRow | undefined {
  if (row === undefined) return undefined
  const [model, id, payload, sealedId, expiresAt, consumedAt] = row as readonly [
    string,
    string,
    string,
    string | null,
    string | null,
    string | null,
  ]
  return { model, id, payload, sealedId, expiresAt: instant(expiresAt), consumedAt: instant(consumedAt) }
}

const instant = (text: string | null): Date | null => (text === null ? null : new Date(text))
