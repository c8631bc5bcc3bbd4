import type { SqlMigrationAwareDriverAdapterFactory, SqlQueryable } from '@prisma/driver-adapter-utils'
import type { Database, Dialect, Revisions } from './storage.ts'

/** What differs between the two databases. Only the one in use is loaded. */
export interface Backend {
  readonly dialect: Dialect
  /** Opens connections of its own, for the schema engine. */
  readonly adapter: SqlMigrationAwareDriverAdapterFactory
  readonly db: Database
  /** The connection, or pool, that the client uses too. */
  connection(): Promise<SqlQueryable>
  revisions(): Promise<Revisions>
  /** Of several processes, lets one work at a time; a process that dies gives its turn back. */
  underLock<T>(work: () => Promise<T>): Promise<T>
  /** Where a copy goes before a migration; `undefined` where the operator's own backups serve. */
  readonly snapshotFolder: string | undefined
}
