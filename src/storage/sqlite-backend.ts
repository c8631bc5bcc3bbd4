import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import type { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { AppError } from '../kernel/errors.ts'
import type { Backend } from './backend.ts'
import { sqliteAdapter } from './sqlite.ts'
import { openSqliteRevisions } from './sqlite-revisions.ts'
import { batchingWrites } from './write-batches.ts'

const lockWaitMilliseconds = 60_000
const lockPollMilliseconds = 25

export interface SqliteBackendOptions {
  readonly file: string
  readonly synchronous: 'NORMAL' | 'FULL'
}

export async function sqliteBackend({ file, synchronous }: SqliteBackendOptions): Promise<Backend> {
  ensureWritable(file)
  const { PrismaClient } = await import('./generated/sqlite/client.ts')
  const adapter = sqliteAdapter({ file, synchronous })
  const shared = sharing(adapter)
  const connection = batchingWrites(shared.connect)
  return {
    dialect: 'sqlite',
    adapter,
    db: new PrismaClient({ adapter: shared }),
    connection: async () => connection,
    revisions: async () => openSqliteRevisions(file),
    underLock: (work) => underFileLock(`${file}-migration-lock`, work),
    snapshotFolder: file === ':memory:' ? undefined : `${dirname(file)}/snapshots`,
  }
}

/** Throws `storage.not_writable` where the file, or the folder that SQLite's journal needs, cannot be written. */
function ensureWritable(file: string): void {
  const folder = dirname(file)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const advice =
      'Let this account write there, or choose another place by LATCHKEY_DATA_FOLDER or DATABASE_URL.'
    throw new AppError(
      'storage.not_writable',
      500,
      `The database ${file} cannot be written (${code}). ${advice}`,
      {
        cause,
      },
    )
  }
}

/** One connection for the client and for statements, so that a transaction of the one keeps the other waiting. */
function sharing(factory: SqlMigrationAwareDriverAdapterFactory): SqlMigrationAwareDriverAdapterFactory {
  let open: Promise<SqlDriverAdapter> | undefined
  const connect = async (): Promise<SqlDriverAdapter> => {
    const connection = await factory.connect()
    return {
      ...connection,
      async dispose() {
        open = undefined
        await connection.dispose()
      },
    }
  }
  return { ...factory, connect: () => (open ??= connect()) }
}

/** A lock that the operating system gives back when its holder dies: an exclusive transaction on a file of its own. */
async function underFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    const giveUpAt = Date.now() + lockWaitMilliseconds
    while (!tryLock(lock)) {
      if (Date.now() > giveUpAt) {
        const seconds = lockWaitMilliseconds / 1000
        throw new AppError(
          'storage.locked',
          503,
          `Another process has been migrating the database for ${seconds} seconds.`,
        )
      }
      await setTimeout(lockPollMilliseconds)
    }
    return await work()
  } finally {
    lock.close()
  }
}

function tryLock(lock: DatabaseSync): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode === 5) return false
    throw error
  }
}
