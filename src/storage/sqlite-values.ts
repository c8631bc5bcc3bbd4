import type { SQLInputValue } from 'node:sqlite'
import { type ArgType, type ColumnType, ColumnTypeEnum } from '@prisma/driver-adapter-utils'

/** The types that our schema declares; what an expression gives has none and is told by its value. */
const declared: Readonly<Record<string, ColumnType>> = {
  TEXT: ColumnTypeEnum.Text,
  INTEGER: ColumnTypeEnum.Int32,
  BIGINT: ColumnTypeEnum.Int64,
  REAL: ColumnTypeEnum.Double,
  DATETIME: ColumnTypeEnum.DateTime,
  BOOLEAN: ColumnTypeEnum.Boolean,
  BLOB: ColumnTypeEnum.Bytes,
  JSONB: ColumnTypeEnum.Json,
}

export function columnTypesOf(
  columns: readonly { readonly type: string | null }[],
  rows: readonly unknown[][],
): ColumnType[] {
  return columns.map(({ type }, index) => declared[(type ?? '').toUpperCase()] ?? inferred(rows, index))
}

function inferred(rows: readonly unknown[][], index: number): ColumnType {
  const sample = rows.find((row) => row[index] !== null)?.[index]
  if (typeof sample === 'number') return ColumnTypeEnum.UnknownNumber
  if (typeof sample === 'bigint') return ColumnTypeEnum.Int64
  if (typeof sample === 'string') return ColumnTypeEnum.Text
  return sample instanceof Uint8Array ? ColumnTypeEnum.Bytes : ColumnTypeEnum.Int32
}

/** Instants are ISO 8601 text in UTC, so that they compare as text and a person can read them. */
export function toSqlite(value: unknown, type: ArgType | undefined): SQLInputValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof Date) return instant(value)
  if (typeof value !== 'string') return value as SQLInputValue
  if (type?.scalarType === 'datetime') return instant(new Date(value))
  if (type?.scalarType === 'bigint') return BigInt(value)
  if (type?.scalarType === 'decimal') return Number.parseFloat(value)
  return type?.scalarType === 'bytes' ? Buffer.from(value, 'base64') : value
}

const instant = (at: Date): string => at.toISOString().replace('Z', '+00:00')

export function toPrisma(value: unknown, type: ColumnType | undefined): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && type === ColumnTypeEnum.DateTime) return new Date(value).toISOString()
  return value
}
