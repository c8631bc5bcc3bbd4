import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { AppError } from '../kernel/errors.ts'
import type { Backend } from './backend.ts'
import { busyTimeoutMilliseconds, sqliteAdapter } from './sqlite.ts'
import type { Revisions } from './storage.ts'

const lockWaitMilliseconds = 60_000
const lockPollMilliseconds = 25

export interface SqliteBackendOptions {
  readonly file: string
  readonly synchronous: 'NORMAL' | 'FULL'
}

export async function sqliteBackend({ file, synchronous }: SqliteBackendOptions): Promise<Backend> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const { PrismaClient } = await import('./generated/sqlite/client.ts')
  const adapter = sqliteAdapter({ file, synchronous })
  return {
    dialect: 'sqlite',
    adapter,
    db: new PrismaClient({ adapter }),
    revisions: async () => revisions(file),
    underLock: (work) => underFileLock(`${file}-migration-lock`, work),
    snapshotFolder: file === ':memory:' ? undefined : `${dirname(file)}/snapshots`,
  }
}

/**
 * A connection of its own reads the counter at each question (some microseconds), so a change made by another process,
 * such as the command line, counts from its commit on.
 */
function revisions(file: string): Revisions {
  const database = new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMilliseconds })
  const select = database.prepare('SELECT value FROM revision WHERE topic = ?')

  return {
    announce: async () => {},
    revision(topic) {
      try {
        return (select.get(topic) as { value: number } | undefined)?.value ?? 0
      } catch {
        return undefined
      }
    },
    close: async () => database.close(),
  }
}

/** A lock that the operating system gives back when its holder dies: an exclusive transaction on a file of its own. */
async function underFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    const giveUpAt = Date.now() + lockWaitMilliseconds
    while (!tryLock(lock)) {
      if (Date.now() > giveUpAt) {
        const seconds = lockWaitMilliseconds / 1000
        throw new AppError('storage.locked', 503, `Another process has been migrating the database for ${seconds} seconds.`)
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
