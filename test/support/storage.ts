/**
 * Storage on a migrated database of the test's own, on the kind that its project names.
 *
 *     await using storage = await openTestStorage()
 */
import { dirname } from 'node:path'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { createDatabase, type Template, type TestDatabase } from './database.ts'

const open = (url: string): Promise<Storage> =>
  openStorage({
    databaseUrl: url,
    dataFolder: dirname(url),
    synchronous: 'NORMAL',
    poolSize: 10,
    timeoutMilliseconds: 10_000,
  })

/** A database with all migrations and nothing else. */
export const migrated: Template = {
  name: 'migrated',
  prepare: async (url) => (await open(url)).close(),
}

export interface TestStorage extends Storage, AsyncDisposable {
  /** Of the database, as DATABASE_URL takes it. */
  readonly url: string
  /**
   * Another process's view of the same database. On SQLite it is the same connection: a second one in this process
   * would wait for the first without letting it go on, as both are synchronous.
   */
  openAnother(): Promise<Storage>
}

/** On a fresh database unless told; either is dropped at the end. */
export const openTestStorage = async (given?: TestDatabase): Promise<TestStorage> => {
  const database = given ?? (await createDatabase(migrated))
  const storage = await open(database.url)
  const others: Storage[] = []
  return {
    ...storage,
    url: database.url,
    async openAnother() {
      if (storage.dialect === 'sqlite') return storage
      const other = await open(database.url)
      others.push(other)
      return other
    },
    async [Symbol.asyncDispose]() {
      for (const each of [...others, storage]) await each.close()
      await database.drop()
    },
  }
}
