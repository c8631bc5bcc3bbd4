import {
  type ArgType,
  type ColumnType,
  ColumnTypeEnum,
  type SqlQueryable,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils'
import type { Dialect } from './dialect.ts'

export type Value = string | number | boolean | Date | null

/**
 * One SQL statement for both databases, written with `?`. It goes over the same connection as everything of Prisma's, but
 * not through its query compiler: for the few statements that every token request runs.
 */
export interface Statement {
  /** Answers with the number of rows changed. */
  run(...values: readonly Value[]): Promise<number>
  /** Values in the order of the columns, the same from both databases; instants as ISO 8601 text in UTC. */
  rows(...values: readonly Value[]): Promise<readonly (readonly unknown[])[]>
}

const types = {
  string: { scalarType: 'string', arity: 'scalar' },
  number: { scalarType: 'int', arity: 'scalar' },
  boolean: { scalarType: 'boolean', arity: 'scalar' },
  object: { scalarType: 'datetime', arity: 'scalar' },
} as const satisfies Readonly<Record<string, ArgType>>

const typeOf = (value: Value): ArgType =>
  value === null ? types.string : types[typeof value as keyof typeof types]
const argument = (value: Value): unknown => (value instanceof Date ? value.toISOString() : value)

/** PostgreSQL's `$1`, `$2` for each `?`. */
const numbered = (text: string): string =>
  text.split('?').reduce((sql, part, index) => `${sql}$${index}${part}`)

type Reader = (value: unknown) => unknown

/** What the databases' drivers give in different forms. */
const readers: ReadonlyMap<ColumnType, Reader> = new Map<ColumnType, Reader>([
  [ColumnTypeEnum.Boolean, (value) => value === true || value === 1],
  [ColumnTypeEnum.Int64, Number],
  [ColumnTypeEnum.DateTime, (value) => new Date(String(value)).toISOString()],
])

function read({ columnTypes, rows }: SqlResultSet): readonly (readonly unknown[])[] {
  const readersOf = columnTypes.map((type) => readers.get(type))
  return rows.map((row) =>
    row.map((value, index) => (value === null ? null : (readersOf[index]?.(value) ?? value))),
  )
}

export function openStatement(
  connection: () => Promise<SqlQueryable>,
  dialect: Dialect,
  text: string,
): Statement {
  const sql = dialect === 'sqlite' ? text : numbered(text)
  const query = (values: readonly Value[]) => ({
    sql,
    args: values.map(argument),
    argTypes: values.map(typeOf),
  })

  return {
    run: async (...values) => await (await connection()).executeRaw(query(values)),
    rows: async (...values) => read(await (await connection()).queryRaw(query(values))),
  }
}
