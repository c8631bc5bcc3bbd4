import type { DatabaseTransaction, Dialect } from './storage.ts'

/**
 * Lets transactions that change what belongs to one user happen one after the other: each waits here for the one before it.
 * SQLite has one writer at a time anyway.
 */
export async function lockUser(dialect: Dialect, db: DatabaseTransaction, userId: string): Promise<void> {
  if (dialect === 'postgresql')
    await db.$queryRaw`SELECT 1 AS locked FROM "user" WHERE id = ${userId} FOR NO KEY UPDATE`
}
