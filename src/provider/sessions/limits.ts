import type { Storage } from '../../storage/storage.ts'
import type { Payload } from '../artefacts/payload.ts'
import { endsAt, type SessionLimits } from '../lifetimes.ts'

const names = [
  'sessionIdleSeconds',
  'sessionMaximumSeconds',
  'sessionBriefMaximumSeconds',
] as const satisfies readonly (keyof SessionLimits)[]
const batch = 200

/** The limits by which every session was last made to expire: one row. */
const key = { model: 'SessionLimits', id: 'applied' }

/**
 * A session's row expires by the limits that held when it was written. Where they have been narrowed since, this makes each
 * expire by those of now, so that its applications are told when it ends and not when it would have. It walks once through
 * the sessions, a batch each time that it is called, whenever the limits are not those that were last applied.
 */
export function applyingLimits(
  { db, statement }: Storage,
  values: SessionLimits,
): () => Promise<{ readonly more: boolean }> {
  const own = Object.fromEntries(names.map((name) => [name, values[name]]))
  const shorten = statement(
    `UPDATE artefact SET expires_at = ? WHERE model = 'Session' AND id = ? AND version = ? AND expires_at > ?`,
  )
  let walkedTo = ''

  async function applied(): Promise<Payload> {
    const row = await db.artefact.findUnique({ where: { model_id: key }, select: { payload: true } })
    return row === null ? {} : (JSON.parse(row.payload) as Payload)
  }

  async function remember(): Promise<void> {
    const payload = JSON.stringify(own)
    await db.artefact.upsert({
      where: { model_id: key },
      create: { ...key, payload },
      update: { payload },
    })
  }

  /** By the primary key, so that what was read once is not read again. */
  async function walk(): Promise<boolean> {
    const rows = await db.artefact.findMany({
      where: { model: 'Session', id: { gt: walkedTo } },
      select: { id: true, payload: true, version: true, expiresAt: true },
      orderBy: { id: 'asc' },
      take: batch,
    })
    await Promise.all(
      rows.map(async ({ id, payload, version, expiresAt }) => {
        const ends = endsAt(values, JSON.parse(payload) as Payload)
        if (expiresAt === null || ends >= expiresAt.getTime()) return
        // Whoever has written it meanwhile has done so by the limits of now.
        await shorten.run(new Date(ends), id, version, new Date(ends))
      }),
    )
    const more = rows.length === batch
    walkedTo = more ? (rows.at(-1)?.id ?? '') : ''
    return more
  }

  return async () => {
    const before = await applied()
    if (names.every((name) => before[name] === own[name])) {
      walkedTo = ''
      return { more: false }
    }
    // Wider ones do not bring a session back, and its next use prolongs it.
    const narrowed = names.some((name) => !(Number(before[name]) <= Number(own[name])))
    if (narrowed && (await walk())) return { more: true }
    await remember()
    return { more: false }
  }
}
