import { hashSecret } from '../../kernel/ids.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'

/**
 * Grants first: what is being stored under one of them is there before it can go, and goes after it. Answers with how many
 * grants there were.
 */
export async function removeAll(
  db: DatabaseTransaction,
  owner: { readonly userId?: string; readonly clientId?: string },
): Promise<number> {
  const { count } = await db.artefact.deleteMany({ where: { ...owner, model: 'Grant' } })
  await db.artefact.deleteMany({ where: owner })
  return count
}

/** Grants and every code and token that came from them. */
export async function endGrants(db: DatabaseTransaction, grantIds: readonly string[]): Promise<void> {
  if (grantIds.length === 0) return
  await db.artefact.deleteMany({ where: { model: 'Grant', id: { in: grantIds.map(hashSecret) } } })
  await db.artefact.deleteMany({ where: { grantId: { in: [...grantIds] }, model: { not: 'Interaction' } } })
}
