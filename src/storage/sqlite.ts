import type { Client, InArgs, InStatement, ResultSet, Transaction } from '@libsql/client'
import { LibsqlError } from '@libsql/client'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import Database from 'libsql'

export interface SqliteOptions {
  readonly file: string
  /** FULL loses nothing even in a power cut; NORMAL may then lose the last moment, and is faster. */
  readonly synchronous: 'NORMAL' | 'FULL'
}

const busyTimeoutMilliseconds = 5_000
const cachedStatements = 256

interface Prepared {
  readonly statement: Database.Statement<unknown[]>
  readonly columns: string[]
  readonly columnTypes: string[]
}

/**
 * Prisma's SQLite adapter over one connection that keeps its pragmas and its prepared statements. The client it
 * brings by itself prepares every statement anew and gives up its connection (and pragmas) with each transaction.
 */
export function sqliteAdapter(options: SqliteOptions): PrismaLibSql {
  class Adapter extends PrismaLibSql {
    override createClient(): Client {
      return openClient(options)
    }
  }
  return new Adapter({ url: `file:${options.file}` })
}

function openClient({ file, synchronous }: SqliteOptions): Client {
  const database = new Database(file, { timeout: busyTimeoutMilliseconds })
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMilliseconds}`)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec(`PRAGMA synchronous = ${synchronous}`)
  database.exec('PRAGMA foreign_keys = ON')
  const prepared = new Map<string, Prepared>()

  const prepare = (sql: string): Prepared => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql) as Database.Statement<unknown[]>
    statement.safeIntegers(true)
    const columns = statement.reader ? statement.raw(true).columns() : []
    const entry = {
      statement,
      columns: columns.map(({ name }) => name),
      columnTypes: columns.map(({ type }) => type ?? ''),
    }
    if (prepared.size >= cachedStatements) prepared.delete(prepared.keys().next().value ?? '')
    prepared.set(sql, entry)
    return entry
  }

  const run = (input: InStatement | string, args?: InArgs): ResultSet => {
    const sql = typeof input === 'string' ? input : input.sql
    const values = Object.values((typeof input === 'string' ? args : input.args) ?? []).map(toSqlite)
    try {
      const { statement, columns, columnTypes } = prepare(sql)
      if (columns.length > 0) return resultSet(columns, columnTypes, statement.all(values) as unknown[][])
      return resultSet([], [], [], statement.run(values).changes)
    } catch (error) {
      throw driverError(error)
    }
  }

  const script = (sql: string): void => {
    try {
      database.exec(sql)
      prepared.clear()
    } catch (error) {
      throw driverError(error)
    }
  }

  return {
    protocol: 'file',
    closed: false,
    execute: async (input: InStatement | string, args?: InArgs) => run(input, args),
    executeMultiple: async (sql: string) => script(sql),
    // The adapter holds its lock until commit or rollback, so the one connection serves the transaction too.
    // IMMEDIATE takes the write lock at once: a deferred one fails half-way when another process writes first.
    transaction: async () => {
      run('BEGIN IMMEDIATE')
      const end = async (word: 'COMMIT' | 'ROLLBACK'): Promise<void> => void (database.inTransaction && run(word))
      return {
        closed: false,
        execute: async (input: InStatement) => run(input),
        executeMultiple: async (sql: string) => script(sql),
        commit: () => end('COMMIT'),
        rollback: () => end('ROLLBACK'),
        close: () => void end('ROLLBACK'),
      } as unknown as Transaction // Prisma's adapter calls these five of it
    },
    close: () => database.close(),
  } as unknown as Client // and of the client, only the ones above
}

const toSqlite = (value: unknown): unknown => (typeof value === 'boolean' ? Number(value) : value)

function resultSet(columns: string[], columnTypes: string[], rows: unknown[][], rowsAffected = 0): ResultSet {
  const values = rows.map((row) => row.map((value) => (typeof value === 'bigint' ? toNumber(value) : value)))
  return { columns, columnTypes, rows: values, rowsAffected, lastInsertRowid: undefined } as unknown as ResultSet
}

function toNumber(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new RangeError('An integer in the database is too large for a number.')
  return number
}

function driverError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error
  const { code, message, rawCode } = error as Error & { code: string; rawCode?: number }
  return new LibsqlError(message, code, undefined, rawCode, error as Error)
}
