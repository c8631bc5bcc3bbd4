import Libsql from 'libsql'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import pg from 'pg'
import { AppError } from '../kernel/errors.ts'
import { type Migration, migrationFiles } from './migration-files.ts'
import { openSchemaEngine } from './schema-engine.ts'
import type { Database } from './storage.ts'
import type { Target } from './target.ts'

const advisoryLock = 4_715_322_011
const lockWaitMilliseconds = 60_000
const lockPollMilliseconds = 25

export interface MigrationState {
  readonly applied: readonly string[]
  readonly pending: readonly Migration[]
}

/**
 * Reads how far the database is. Throws `storage.newer_schema` when it has migrations that this version does not know,
 * and `storage.failed_migration` when one was left half-way.
 */
export async function migrationState(db: Database, target: Target): Promise<MigrationState> {
  const files = migrationFiles(target.dialect)
  const rows = await recorded(db, target)
  const failed = rows.find((row) => !row.finished)
  if (failed !== undefined) {
    throw new AppError(
      'storage.failed_migration',
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

async function recorded(db: Database, { dialect }: Target): Promise<readonly Recorded[]> {
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
 * migrates and the others wait. A SQLite file that holds anything is copied beside itself first.
 */
export async function migrate(
  db: Database,
  target: Target,
  factory: SqlMigrationAwareDriverAdapterFactory,
): Promise<readonly string[]> {
  if ((await migrationState(db, target)).pending.length === 0) return []
  return await underLock(target, async () => {
    const { applied, pending } = await migrationState(db, target)
    const next = pending[0]
    if (next === undefined) return []
    if (target.dialect === 'sqlite' && applied.length > 0) await snapshot(db, target.file, next.name)
    const engine = await openSchemaEngine(target.dialect, factory)
    try {
      return await engine.apply(migrationFiles(target.dialect))
    } finally {
      await engine.close()
    }
  })
}

async function snapshot(db: Database, file: string, before: string): Promise<void> {
  const folder = join(dirname(file), 'snapshots')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  await db.$executeRawUnsafe('VACUUM INTO ?', join(folder, `${stamp}-before-${before}.db`))
}

async function underLock<T>(target: Target, work: () => Promise<T>): Promise<T> {
  if (target.dialect === 'sqlite') return await underFileLock(`${target.file}-migration-lock`, work)
  const client = new pg.Client({ connectionString: target.url, connectionTimeoutMillis: 5_000 })
  await client.connect()
  try {
    await client.query(`SET lock_timeout = ${lockWaitMilliseconds}`)
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLock])
    return await work()
  } finally {
    await client.end()
  }
}

/** A lock that the operating system gives back when its holder dies: an exclusive transaction on a file of its own. */
async function underFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = new Libsql(path)
  try {
    const giveUpAt = Date.now() + lockWaitMilliseconds
    while (!tryLock(lock)) {
      if (Date.now() > giveUpAt) {
        throw new AppError('storage.locked', 503, `Another process has been migrating the database for ${lockWaitMilliseconds / 1000} seconds.`)
      }
      await setTimeout(lockPollMilliseconds)
    }
    return await work()
  } finally {
    lock.close()
  }
}

function tryLock(lock: Libsql.Database): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if (error instanceof Libsql.SqliteError && error.code.startsWith('SQLITE_BUSY')) return false
    throw error
  }
}
