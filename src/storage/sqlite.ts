import { DatabaseSync, type StatementSync } from 'node:sqlite'
import {
  DriverAdapterError,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils'
import { mapSqliteError } from './sqlite-errors.ts'
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
  let transaction: Promise<void> | undefined

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

  const script = (sql: string): void => guarded(() => database.exec(sql))
  async function startTransaction(): Promise<Transaction> {
    // Asked anew after each wait, with no step between the answer and BEGIN: several may have waited for the same end.
    while (transaction !== undefined) await transaction
    // IMMEDIATE takes the write lock at once: a deferred one fails half-way when another process writes first.
    script('BEGIN IMMEDIATE')
    const { promise, resolve: finished } = Promise.withResolvers<void>()
    transaction = promise
    // It ends once: nothing that is asked of it later may reach the next one.
    let open = true
    const leave = (): void => {
      try {
        // A commit that failed leaves SQLite inside, and those who wait must not come in there.
        if (database.isTransaction) script('ROLLBACK')
      } finally {
        transaction = undefined
        finished()
      }
    }
    const end = (word: 'COMMIT' | 'ROLLBACK') => async (): Promise<void> => {
      if (!open) return
      open = false
      try {
        if (database.isTransaction) script(word)
      } finally {
        leave()
      }
    }
    const inside = <T>(work: (input: SqlQuery) => T) => async (input: SqlQuery): Promise<T> => {
      if (open) return work(input)
      throw new DriverAdapterError({ kind: 'TransactionAlreadyClosed', cause: 'It was committed or rolled back.' })
    }
    return {
      ...identity,
      options: { usePhantomQuery: true },
      queryRaw: inside(query),
      executeRaw: inside(execute),
      commit: end('COMMIT'),
      rollback: end('ROLLBACK'),
    }
  }

  return {
    ...identity,
    async queryRaw(input) {
      while (transaction !== undefined) await transaction
      return query(input)
    },
    async executeRaw(input) {
      if (input.sql === exclusiveLocking) return 0
      while (transaction !== undefined) await transaction
      return execute(input)
    },
    async executeScript(sql) {
      while (transaction !== undefined) await transaction
      script(sql)
    },
    startTransaction,
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

function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new DriverAdapterError(mapSqliteError(error))
  }
}
