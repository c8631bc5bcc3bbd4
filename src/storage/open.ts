import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { PrismaPg } from '@prisma/adapter-pg'
import { type MigrationState, migrate, migrationState } from './migrate.ts'
import { postgresqlRevisions, sqliteRevisions } from './revisions.ts'
import { sqliteAdapter } from './sqlite.ts'
import type { Database, Revisions, Storage } from './storage.ts'
import { parseTarget, type Target } from './target.ts'

export interface StorageOptions {
  /** `postgresql://…`, `file:…`, or `undefined` for a SQLite file in the data folder. */
  readonly databaseUrl: string | undefined
  readonly dataFolder: string
  /** SQLite only. */
  readonly synchronous: 'NORMAL' | 'FULL'
  /** PostgreSQL only. */
  readonly poolSize: number
  /** Milliseconds after which a statement or the wait for a connection gives up. PostgreSQL only. */
  readonly timeoutMilliseconds: number
}

/** Opens the database and brings its schema up to date. Throws where it cannot be reached or is too new. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const target = parseTarget(options.databaseUrl, options.dataFolder)
  const factory = adapterFactory(target, options)
  const db = await connect(target, factory)
  let revisions: Revisions
  try {
    await migrate(db, target, factory)
    revisions = target.dialect === 'sqlite' ? sqliteRevisions(target.file) : await postgresqlRevisions(target.url)
  } catch (error) {
    await db.$disconnect()
    throw error
  }

  return {
    dialect: target.dialect,
    db,
    transaction: (work) => db.$transaction(work, { maxWait: options.timeoutMilliseconds, timeout: 4 * options.timeoutMilliseconds }),
    touch: revisions.touch,
    revision: revisions.revision,
    ping: async () => void (await db.$queryRawUnsafe('SELECT 1')),
    async close() {
      await revisions.close()
      await db.$disconnect()
    },
  }
}

/** How far the schema of the database is, without changing it. */
export async function readMigrationState(options: StorageOptions): Promise<MigrationState> {
  const target = parseTarget(options.databaseUrl, options.dataFolder)
  const db = await connect(target, adapterFactory(target, options))
  try {
    return await migrationState(db, target)
  } finally {
    await db.$disconnect()
  }
}

function adapterFactory(target: Target, options: StorageOptions): SqlMigrationAwareDriverAdapterFactory {
  if (target.dialect === 'sqlite') return sqliteAdapter({ file: target.file, synchronous: options.synchronous })
  return new PrismaPg({
    connectionString: target.url,
    max: options.poolSize,
    connectionTimeoutMillis: options.timeoutMilliseconds,
    statement_timeout: options.timeoutMilliseconds,
    query_timeout: options.timeoutMilliseconds + 1_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  })
}

async function connect(target: Target, adapter: SqlMigrationAwareDriverAdapterFactory): Promise<Database> {
  if (target.dialect === 'sqlite') {
    mkdirSync(dirname(target.file), { recursive: true, mode: 0o700 })
    const { PrismaClient } = await import('./generated/sqlite/client.ts')
    return new PrismaClient({ adapter })
  }
  const { PrismaClient } = await import('./generated/postgresql/client.ts')
  return new PrismaClient({ adapter }) as unknown as Database // one schema, two clients of the same shape
}
