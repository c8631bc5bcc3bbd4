import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../kernel/errors.ts'
import type { Backend } from './backend.ts'
import { type Migration, migrationFiles } from './migration-files.ts'

const failedCode = 'storage.failed_migration'

export interface MigrationState {
  readonly applied: readonly string[]
  readonly pending: readonly Migration[]
}

/**
 * Reads how far the database is. Throws `storage.newer_schema` when it has migrations that this version does not know,
 * and `storage.failed_migration` when one was left half-way.
 */
export async function migrationState(backend: Backend): Promise<MigrationState> {
  const files = migrationFiles(backend.dialect)
  const rows = await recorded(backend)
  const failed = rows.find((row) => !row.finished)
  if (failed !== undefined) {
    throw new AppError(
      failedCode,
      500,
      `The migration ${failed.name} did not finish. Restore the snapshot or backup made before it, then start again.`,
    )
  }
  const known = new Set(files.map(({ name }) => name))
  const unknown = rows.find(({ name }) => !known.has(name))
  if (unknown !== undefined) {
    throw new AppError(
      'storage.newer_schema',
      500,
      `The database was migrated by a newer Latchkey (${unknown.name}). Start that version, or restore a backup from before the upgrade.`,
    )
  }
  const applied = rows.map(({ name }) => name)
  return { applied, pending: files.filter(({ name }) => !applied.includes(name)) }
}

interface Recorded {
  readonly name: string
  readonly finished: boolean
}

async function recorded({ db, dialect }: Backend): Promise<readonly Recorded[]> {
  const exists =
    dialect === 'sqlite'
      ? `SELECT 1 AS found FROM sqlite_master WHERE name = '_prisma_migrations'`
      : `SELECT 1 AS found WHERE to_regclass('_prisma_migrations') IS NOT NULL`
  if ((await db.$queryRawUnsafe<unknown[]>(exists)).length === 0) return []
  const rows = await db.$queryRawUnsafe<{ name: string; finished: number | bigint }[]>(
    `SELECT migration_name AS name, CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END AS finished
     FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
  )
  return rows.map(({ name, finished }) => ({ name, finished: Number(finished) === 1 }))
}

/**
 * Brings the database up to date and returns the names of what it applied. Of several processes that start at once one
 * migrates and the others wait. A SQLite file that holds anything is copied first.
 */
export async function migrate(backend: Backend): Promise<readonly string[]> {
  if (await isUpToDate(backend)) return []
  return await backend.underLock(async () => {
    const { applied, pending } = await migrationState(backend)
    const [next] = pending
    if (next === undefined) return []
    if (backend.snapshotFolder !== undefined && applied.length > 0)
      await snapshot(backend, backend.snapshotFolder, next.name)
    // Tens of megabytes of WebAssembly, loaded only where there is something to migrate.
    const { openSchemaEngine } = await import('./schema-engine.ts')
    const engine = await openSchemaEngine(backend.dialect, backend.adapter)
    try {
      return await engine.apply(migrationFiles(backend.dialect))
    } finally {
      await engine.close()
    }
  })
}

/** A migration that has not finished may be under way in another process; only under the lock is it known to have failed. */
async function isUpToDate(backend: Backend): Promise<boolean> {
  try {
    return (await migrationState(backend)).pending.length === 0
  } catch (error) {
    if (error instanceof AppError && error.code === failedCode) return false
    throw error
  }
}

async function snapshot({ db }: Backend, folder: string, before: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  await db.$executeRawUnsafe('VACUUM INTO ?', join(folder, `${stamp}-before-${before}.db`))
}
