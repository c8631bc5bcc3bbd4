import { hashSecret } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import { openRowLoader } from '../artefacts/row-loader.ts'
import { type ArtefactRow, type FoundRow, foundRows, readRow } from '../artefacts/rows.ts'

const model = 'DeviceCode'

/** RFC 8628 §3.2: how long a device waits between two polls when nothing else is said; §3.5: how much each hasty one adds. */
export const pollingSeconds = 5
/** A device waits from the answer to its poll and its clock is not ours, so a poll may come this much early. */
const jitterMilliseconds = 500

/** The statements about device codes, expired ones included: a device and a person are told that a code has expired. */
export function openDeviceRows(storage: Storage) {
  const { statement } = storage
  const load = openRowLoader(storage, foundRows)
  const byUserCode = statement(
    `${foundRows} WHERE user_code = ? AND model = '${model}' ORDER BY expires_at DESC LIMIT 2`,
  )
  const answer = openAnswering(storage, model)

  return {
    find: async (id: string): Promise<FoundRow | undefined> =>
      readRow(await load({ model, id: hashSecret(id) })),

    /** The two that expire last. */
    async findByUserCode(userCode: string): Promise<readonly FoundRow[]> {
      const rows = await byUserCode.rows(userCode)
      return rows.flatMap((row) => readRow(row) ?? [])
    },

    /** Stores who approved or that somebody denied; true for the first answer alone. */
    answer,
  }
}

/** Stores the answer of a person to what a client polls for; true for the first one alone. */
export function openAnswering(
  storage: Storage,
  of: string,
): (row: ArtefactRow, now: Date) => Promise<boolean> {
  const answer = storage.statement(
    `UPDATE artefact SET version = 1, payload = ?, grant_id = ?, session_uid = ?, user_id = ?
     WHERE model = '${of}' AND id = ? AND version = 0 AND consumed_at IS NULL AND expires_at > ?`,
  )
  return async ({ payload, grantId, sessionUid, userId, id }, now) =>
    (await answer.run(payload, grantId, sessionUid, userId, id, now)) === 1
}

/** How devices that poll are kept waiting (RFC 8628 §3.5); all processes count together. */
export interface Polling {
  /**
   * True where nobody has decided yet and the client has waited long enough: then nothing else needs to be known, so that
   * a patient device costs this one conditional write.
   */
  waits(id: string, clientId: string, now: Date): Promise<boolean>
  /** The device came too early, and has to wait five seconds longer from now on. */
  slowDown(id: string, now: Date): Promise<void>
}

export function openPolling(storage: Storage, of = model): Polling {
  const own = `model = '${of}' AND id = ?`
  const wait = `COALESCE(poll_seconds, ${pollingSeconds})`
  const patient = storage.statement(
    `UPDATE artefact SET poll_at = CAST(? AS BIGINT) + ${wait} * 1000
     WHERE ${own} AND client_id = ? AND version = 0 AND consumed_at IS NULL AND expires_at > ?
       AND COALESCE(poll_at, 0) <= CAST(? AS BIGINT)`,
  )
  const hasty = storage.statement(
    `UPDATE artefact SET poll_seconds = ${wait} + ${pollingSeconds},
       poll_at = CAST(? AS BIGINT) + (${wait} + ${pollingSeconds}) * 1000
     WHERE ${own}`,
  )
  const next = (now: Date): number => now.getTime() - jitterMilliseconds

  return {
    waits: async (id, clientId, now) =>
      (await patient.run(next(now), hashSecret(id), clientId, now, now.getTime())) === 1,
    slowDown: async (id, now) => void (await hasty.run(next(now), hashSecret(id))),
  }
}
