import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type {
  SqlDriverAdapter,
  SqlMigrationAwareDriverAdapterFactory,
  SqlQuery,
  SqlResultSet,
} from '@prisma/driver-adapter-utils'
import { guarded } from './sqlite-errors.ts'
import { openTurns } from './sqlite-turns.ts'
import { columnTypesOf, toPrisma, toSqlite } from './sqlite-values.ts'

export interface SqliteOptions {
  readonly file: string
  /** FULL loses nothing even in a power cut; NORMAL may then lose the last moment, and is faster. */
  readonly synchronous: 'NORMAL' | 'FULL'
}

export const busyTimeoutMilliseconds = 5_000
const cachedStatements = 256
// Prisma's schema engine wants the file for itself; our own lock keeps other migrations away, and readers may go on.
const exclusiveLocking = 'PRAGMA main.locking_mode=EXCLUSIVE'
const identity = { provider: 'sqlite', adapterName: 'node:sqlite' } as const

interface Prepared {
  readonly statement: StatementSync
  readonly columns: readonly { readonly name: string; readonly type: string | null }[]
}

/**
 * Prisma over Node's own SQLite: nothing to install, one connection that keeps its pragmas and prepared statements.
 * A statement takes some microseconds and runs at once; while a transaction is open, everything else waits for its end.
 */
export function sqliteAdapter(options: SqliteOptions): SqlMigrationAwareDriverAdapterFactory {
  return {
    ...identity,
    connect: async () => openAdapter(options),
    connectToShadowDb: async () => openAdapter({ ...options, file: ':memory:' }),
  }
}

/** Opens a connection as this server uses it. Throws where the file cannot be opened. */
export function openSqlite({ file, synchronous }: SqliteOptions): DatabaseSync {
  const database = new DatabaseSync(file, {
    timeout: busyTimeoutMilliseconds,
    enableForeignKeyConstraints: true,
  })
  database.exec('PRAGMA journal_mode = WAL')
  database.exec(`PRAGMA synchronous = ${synchronous}`)
  return database
}

function openAdapter(options: SqliteOptions): SqlDriverAdapter {
  const database = guarded(() => openSqlite(options))
  const prepare = statementCache(database)

  const query = ({ sql, args, argTypes }: SqlQuery): SqlResultSet =>
    guarded(() => {
      const { statement, columns } = prepare(sql)
      const rows = statement.all(
        ...args.map((value, index) => toSqlite(value, argTypes[index])),
      ) as unknown as unknown[][]
      const columnTypes = columnTypesOf(columns, rows)
      return {
        columnNames: columns.map(({ name }) => name),
        columnTypes,
        rows: rows.map((row) => row.map((value, index) => toPrisma(value, columnTypes[index]))),
      }
    })

  const execute = ({ sql, args, argTypes }: SqlQuery): number =>
    guarded(() =>
      Number(
        prepare(sql).statement.run(...args.map((value, index) => toSqlite(value, argTypes[index]))).changes,
      ),
    )

  const turns = openTurns(database, identity)
  return {
    ...identity,
    queryRaw: (input) => turns.whenFree(() => query(input)),
    executeRaw: async (input) => (input.sql === exclusiveLocking ? 0 : turns.whenFree(() => execute(input))),
    executeScript: (sql) => turns.whenFree(() => guarded(() => database.exec(sql))),
    startTransaction: () => turns.begin({ query, execute }),
    dispose: async () => database.close(),
  }
}

function statementCache(database: DatabaseSync): (sql: string) => Prepared {
  const prepared = new Map<string, Prepared>()
  return (sql) => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    const entry = { statement, columns: statement.columns() }
    const [oldest] = prepared.keys()
    if (prepared.size >= cachedStatements && oldest !== undefined) prepared.delete(oldest)
    prepared.set(sql, entry)
    return entry
  }
}
