import { hashSecret } from '../../src/kernel/ids.ts'
import type { RunningLatchkey } from './latchkey.ts'

/** How many grants there are. */
export const countGrants = ({ app }: RunningLatchkey): Promise<number> =>
  app.storage.db.artefact.count({ where: { model: 'Grant' } })

/** How many codes and tokens there are whose grant is gone. */
export async function countOrphans({ app }: RunningLatchkey): Promise<number> {
  const { db } = app.storage
  const grants = new Set((await db.artefact.findMany({ where: { model: 'Grant' } })).map(({ id }) => id))
  const rows = await db.artefact.findMany({
    where: { grantId: { not: null }, model: { not: 'Interaction' } },
  })
  return rows.filter(({ grantId }) => !grants.has(hashSecret(grantId ?? ''))).length
}
