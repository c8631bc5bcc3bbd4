import { existsSync } from 'node:fs'
import type { Backend } from './backend.ts'
import { type MigrationState, migrate, migrationState } from './migrate.ts'
import { migrationFiles } from './migration-files.ts'
import { openStatement } from './statements.ts'
import type { Change, DatabaseTransaction, Revisions, Storage } from './storage.ts'
import { parseTarget } from './target.ts'

export interface StorageOptions {
  /** `postgresql://…`, `file:…`, or `undefined` for a SQLite file in the data folder. */
  readonly databaseUrl: string | undefined
  readonly dataFolder: string
  /** SQLite only. */
  readonly synchronous: 'NORMAL' | 'FULL'
  /** PostgreSQL only. */
  readonly poolSize: number
  /** Milliseconds after which a statement (on PostgreSQL), or the wait for a connection or transaction, gives up. */
  readonly timeoutMilliseconds: number
}

/** Opens the database and brings its schema up to date. Throws where it cannot be reached or is too new. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const backend = await openBackend(options)
  const { db, dialect } = backend
  const revisions = await migratedRevisions(backend)
  const touched = new WeakMap<DatabaseTransaction, Change[]>()
  const afterwards = new WeakMap<DatabaseTransaction, (() => void)[]>()
  const limits = { maxWait: options.timeoutMilliseconds, timeout: 4 * options.timeoutMilliseconds }

  return {
    dialect,
    db,
    statement: (sql) => openStatement(backend.connection, dialect, sql),
    async transaction(work) {
      let own: DatabaseTransaction | undefined
      try {
        const result = await db.$transaction((transaction) => {
          own = transaction
          afterwards.set(transaction, [])
          return work(transaction)
        }, limits)
        for (const act of (own && afterwards.get(own)) ?? []) act()
        return result
      } finally {
        const changes = own && touched.get(own)
        if (changes !== undefined) revisions.refresh(changes)
      }
    },
    afterCommit(transaction, act) {
      const acts = afterwards.get(transaction)
      if (acts === undefined) queueMicrotask(act)
      else acts.push(act)
    },
    async touch(transaction, topic, key) {
      const { value } = await transaction.revision.upsert({
        where: { topic },
        create: { topic, value: 1 },
        update: { value: { increment: 1 } },
      })
      const change = { topic, value, key }
      touched.set(transaction, [...(touched.get(transaction) ?? []), change])
      await revisions.announce(transaction, change)
    },
    revision: revisions.revision,
    changedSince: revisions.changedSince,
    ping: async () => void (await db.$queryRawUnsafe('SELECT 1')),
    async close() {
      await revisions.close()
      await db.$disconnect()
    },
  }
}

async function migratedRevisions(backend: Backend): Promise<Revisions> {
  try {
    await migrate(backend)
    return await backend.revisions()
  } catch (error) {
    await backend.db.$disconnect()
    throw error
  }
}

/** How far the schema of the database is, without changing it, not even by making a SQLite file. */
export async function readMigrationState(options: StorageOptions): Promise<MigrationState> {
  const target = parseTarget(options.databaseUrl, options.dataFolder)
  if (target.dialect === 'sqlite' && !existsSync(target.file)) {
    return { applied: [], pending: migrationFiles('sqlite') }
  }
  const backend = await openBackend(options)
  try {
    return await migrationState(backend)
  } finally {
    await backend.db.$disconnect()
  }
}

/** Applies what is pending and returns the names. */
export async function migrateStorage(options: StorageOptions): Promise<readonly string[]> {
  const backend = await openBackend(options)
  try {
    return await migrate(backend)
  } finally {
    await backend.db.$disconnect()
  }
}

async function openBackend(options: StorageOptions): Promise<Backend> {
  const target = parseTarget(options.databaseUrl, options.dataFolder)
  if (target.dialect === 'sqlite') {
    const { sqliteBackend } = await import('./sqlite-backend.ts')
    return await sqliteBackend({ file: target.file, synchronous: options.synchronous })
  }
  const { postgresqlBackend } = await import('./postgresql-backend.ts')
  return await postgresqlBackend({ ...options, url: target.url })
}
