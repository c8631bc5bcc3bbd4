import type { Dialect } from './dialect.ts'
import type { Prisma, PrismaClient } from './generated/sqlite/client.ts'
import type { Statement } from './statements.ts'

export type { Dialect } from './dialect.ts'

/** The typed client. Both databases share one schema, so the SQLite client's types stand for both. */
export type Database = PrismaClient
/** What `transaction` hands to its work. */
export type DatabaseTransaction = Prisma.TransactionClient

/** Topics whose committed changes are counted, so that processes can drop what they cached. */
export type Topic = 'clients' | 'resources' | 'authorization-types' | 'users' | 'keys' | 'issuers'

export interface Storage {
  readonly dialect: Dialect
  readonly db: Database
  /** For the hot paths; see `Statement`. Outside transactions only. */
  statement(sql: string): Statement
  /** All or nothing. On SQLite it holds the write lock from its first statement, so keep it short. */
  transaction<T>(work: (db: DatabaseTransaction) => Promise<T>): Promise<T>
  /** Calls `act` once the transaction is committed, never where it is undone; at once where `db` is no transaction. */
  afterCommit(db: DatabaseTransaction, act: () => void): void
  /** Counts a change of `topic`; call it in the transaction that makes the change. */
  touch(db: DatabaseTransaction, topic: Topic): Promise<void>
  /** The number of changes of `topic` seen so far; `undefined` while that cannot be known, and then nothing may be cached. */
  revision(topic: Topic): number | undefined
  /** Throws when the database does not answer. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** How changes become known to other processes. */
export interface Revisions {
  /** In the transaction that counted the change. */
  announce(db: DatabaseTransaction, topic: Topic): Promise<void>
  revision(topic: Topic): number | undefined
  /** After a transaction of our own that counted changes: its process sees them at once. */
  refresh(topics: ReadonlySet<Topic>): void
  close(): Promise<void>
}
