import type { Dialect } from './dialect.ts'
import type { Prisma, PrismaClient } from './generated/sqlite/client.ts'
import type { Statement } from './statements.ts'

export type { Dialect } from './dialect.ts'

/** The typed client. Both databases share one schema, so the SQLite client's types stand for both. */
export type Database = PrismaClient
/** What `transaction` hands to its work. */
export type DatabaseTransaction = Prisma.TransactionClient

/** Topics whose committed changes are counted, so that processes can drop what they cached. */
export const topics = [
  'clients',
  'federated-clients',
  'resources',
  'authorization-types',
  'users',
  'keys',
  'issuers',
] as const
export type Topic = (typeof topics)[number]

export interface Storage {
  readonly dialect: Dialect
  readonly db: Database
  /** For the hot paths; see `Statement`. Outside transactions only. */
  statement(sql: string): Statement
  /** All or nothing. On SQLite it holds the write lock from its first statement, so keep it short. */
  transaction<T>(work: (db: DatabaseTransaction) => Promise<T>): Promise<T>
  /** Calls `act` once the transaction is committed, never where it is undone; at once where `db` is no transaction. */
  afterCommit(db: DatabaseTransaction, act: () => void): void
  /**
   * Counts a change of `topic`, or of what has this key in it and nothing else; call it in the transaction that makes the
   * change.
   */
  touch(db: DatabaseTransaction, topic: Topic, key?: string): Promise<void>
  /** The number of changes of `topic` seen so far; `undefined` while that cannot be known, and then nothing may be cached. */
  revision(topic: Topic): number | undefined
  /** The keys of what has changed between that revision and the one last asked for; `undefined` where not all are known. */
  changedSince(topic: Topic, revision: number): ReadonlySet<string> | undefined
  /** Throws when the database does not answer. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** A change that was counted. */
export interface Change {
  readonly topic: Topic
  /** Which one it was of its topic. */
  readonly value: number
  /** What changed; anything of the topic where `undefined`. */
  readonly key: string | undefined
}

/** Of so many changes it is kept what they were about. Who comes later drops all that it remembers of the topic. */
export const keptChanges = 1_000

/** How changes become known to other processes. */
export interface Revisions extends Pick<Storage, 'revision' | 'changedSince'> {
  /** In the transaction that counted the change. */
  announce(db: DatabaseTransaction, change: Change): Promise<void>
  /** After a transaction of our own that counted changes: its process sees them at once. */
  refresh(changes: readonly Change[]): void
  close(): Promise<void>
}
