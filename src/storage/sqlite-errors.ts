import { DriverAdapterError, type MappedError } from '@prisma/driver-adapter-utils'

interface SqliteError {
  /** SQLite's extended result code; the low byte is the primary one (sqlite.org/rescode.html). */
  readonly errcode: number
  readonly message: string
}

const busy = 5
/** READONLY, IOERR, FULL, CANTOPEN: the file cannot be used at the moment. */
const unusable = new Set([8, 10, 13, 14])

/** Does the work, and throws what SQLite throws as a `DriverAdapterError`. */
export function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new DriverAdapterError(mapSqliteError(error))
  }
}

/** In the words of Prisma's adapters, so that both databases give the same error codes. */
function mapSqliteError(error: unknown): MappedError & { originalCode: string; originalMessage: string } {
  if (!isSqliteError(error)) throw error
  const { errcode, message } = error
  return { originalCode: String(errcode), originalMessage: message, ...kindOf(errcode, message) }
}

const isSqliteError = (error: unknown): error is SqliteError =>
  error instanceof Error && typeof (error as Partial<SqliteError>).errcode === 'number'

function kindOf(errcode: number, message: string): MappedError {
  const primary = errcode & 0xff
  if (errcode === 2067 || errcode === 1555)
    return { kind: 'UniqueConstraintViolation', ...constrained(message) }
  if (errcode === 1299) return { kind: 'NullConstraintViolation', ...constrained(message) }
  if (errcode === 787 || errcode === 1811)
    return { kind: 'ForeignKeyConstraintViolation', constraint: { foreignKey: {} } }
  if (primary === busy) return { kind: 'SocketTimeout' }
  if (unusable.has(primary)) return { kind: 'DatabaseNotReachable' }
  if (message.startsWith('no such table')) return { kind: 'TableDoesNotExist', table: message.split(': ')[1] }
  return { kind: 'sqlite', extendedCode: errcode, message }
}

/** From `UNIQUE constraint failed: user.email_key, user.id`. */
function constrained(message: string): { constraint: { fields: string[] }; table?: string } {
  const columns = (message.split('constraint failed: ')[1] ?? '').split(', ')
  const table = columns[0]?.split('.').slice(0, -1).join('.')
  return {
    constraint: { fields: columns.map((column) => column.split('.').at(-1) ?? column) },
    ...(table && { table }),
  }
}
