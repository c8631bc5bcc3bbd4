/** That both databases have the same shape, and that it is the one the models describe. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { expect, it } from 'vitest'
import { migratedSchema, migrationFiles, schemaFiles } from '../../src/storage/migration-files.ts'
import { openSchemaEngine } from '../../src/storage/schema-engine.ts'
import { sqliteAdapter } from '../../src/storage/sqlite.ts'
import { createDatabase, databaseKind } from '../support/database.ts'
import { queryOn } from '../support/postgres-databases.ts'
import { migrated } from '../support/storage.ts'

const kind = databaseKind()

interface Shape {
  /** `table.column type`, with `?` where it may be null. */
  readonly columns: readonly string[]
  /** `table (columns)`, with `unique` or `primary`. */
  readonly indexes: readonly string[]
  /** `table (columns) -> table (columns) on delete …`. */
  readonly references: readonly string[]
}

const types: Readonly<Record<string, string>> = {
  DATETIME: 'instant',
  BLOB: 'bytes',
  bytea: 'bytes',
  'timestamp without time zone': 'instant',
  TEXT: 'text',
  text: 'text',
  INTEGER: 'integer',
  integer: 'integer',
  BOOLEAN: 'boolean',
  boolean: 'boolean',
  BIGINT: 'bigint',
  bigint: 'bigint',
}

const sorted = (rows: readonly Record<string, unknown>[]): string[] =>
  rows.map(({ line }) => String(line)).sort()
const typed = (rows: readonly Record<string, unknown>[]): string[] =>
  rows
    .map(
      ({ column, type, nullable }) =>
        `${column} ${types[String(type)] ?? type}${Number(nullable) === 1 ? '?' : ''}`,
    )
    .sort()

const readSqlite = (database: DatabaseSync): Shape => {
  const rows = (sql: string) => database.prepare(sql).all()
  const tables = `(SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_prisma%' ESCAPE '\\') AS t`
  return {
    columns: typed(
      rows(`SELECT t.name || '.' || c.name AS "column", c.type, 1 - c."notnull" AS nullable
            FROM ${tables}, pragma_table_info(t.name) AS c`),
    ),
    indexes: sorted(
      rows(`SELECT t.name || ' (' || (SELECT group_concat(name, ',' ORDER BY seqno) FROM pragma_index_info(i.name)) || ')'
              || CASE i.origin WHEN 'pk' THEN ' primary' ELSE CASE i."unique" WHEN 1 THEN ' unique' ELSE '' END END AS line
            FROM ${tables}, pragma_index_list(t.name) AS i`),
    ),
    references: sorted(
      rows(`SELECT t.name || ' (' || f."from" || ') -> ' || f."table" || ' (' || f."to" || ') on delete ' || f.on_delete AS line
            FROM ${tables}, pragma_foreign_key_list(t.name) AS f`),
    ),
  }
}

const readPostgresql = async (url: string): Promise<Shape> => {
  const columnsOf = (table: string, numbers: string) =>
    `(SELECT string_agg(attname, ',' ORDER BY ordinality) FROM unnest(${numbers}) WITH ORDINALITY AS n(number, ordinality)
      JOIN pg_attribute ON attrelid = ${table} AND attnum = number)`
  return {
    columns: typed(
      await queryOn(
        url,
        `SELECT table_name || '.' || column_name AS "column", data_type AS type, CASE is_nullable WHEN 'YES' THEN 1 ELSE 0 END AS nullable
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_prisma%'`,
      ),
    ),
    indexes: sorted(
      await queryOn(
        url,
        `SELECT t.relname || ' (' || ${columnsOf('t.oid', 'i.indkey::int2[]')} || ')'
           || CASE WHEN i.indisprimary THEN ' primary' WHEN i.indisunique THEN ' unique' ELSE '' END AS line
         FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
         WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_prisma%'`,
      ),
    ),
    references: sorted(
      await queryOn(
        url,
        `SELECT t.relname || ' (' || ${columnsOf('c.conrelid', 'c.conkey')} || ') -> ' || f.relname || ' ('
           || ${columnsOf('c.confrelid', 'c.confkey')} || ') on delete '
           || CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS line
         FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid
         WHERE c.contype = 'f' AND t.relnamespace = 'public'::regnamespace`,
      ),
    ),
  }
}

const sqliteFrom = (scripts: readonly string[]): Shape => {
  const database = new DatabaseSync(':memory:')
  try {
    for (const script of scripts) database.exec(script)
    return readSqlite(database)
  } finally {
    database.close()
  }
}

/** The script that makes a database from the models, as Prisma's engine writes it. */
const scriptOfModels = async (url: string): Promise<string> => {
  const options = { file: url.slice('file:'.length), synchronous: 'NORMAL' } as const
  const factory = kind === 'sqlite' ? sqliteAdapter(options) : new PrismaPg({ connectionString: url })
  const engine = await openSchemaEngine(kind, factory)
  try {
    expect(await engine.difference(migratedSchema(kind), schemaFiles(kind))).toBe('')
    return await engine.difference(undefined, schemaFiles(kind))
  } finally {
    await engine.close()
  }
}

const readShape = (url: string): Shape | Promise<Shape> => {
  if (kind === 'postgresql') return readPostgresql(url)
  const database = new DatabaseSync(url.slice('file:'.length), { readOnly: true })
  try {
    return readSqlite(database)
  } finally {
    database.close()
  }
}

it('a migrated database is what the models describe', async () => {
  const [database, empty] = await Promise.all([createDatabase(migrated), createDatabase()])
  const script = await scriptOfModels(empty.url)
  if (kind === 'sqlite') expect(sqliteFrom([script])).toEqual(await readShape(database.url))
  else {
    await queryOn(empty.url, script)
    expect(await readShape(empty.url)).toEqual(await readShape(database.url))
  }
  const shape = await readShape(database.url)
  expect(shape.columns.length).toBeGreaterThan(80)
  expect(shape.columns).toContain('artefact.expires_at instant?')
  expect(shape.indexes).toContain('user (email_key) unique')
  expect(shape.references).toContain('password (user_id) -> user (id) on delete CASCADE')
})

it('a migrated database has the tables, columns, indexes and references of the other kind', async () => {
  const database = await createDatabase(migrated)
  const shape = await readShape(database.url)
  expect(shape).toEqual(sqliteFrom(migrationFiles('sqlite').map(({ sql }) => sql)))
})

it('the histories of both databases go in step', () => {
  const names = (dialect: 'sqlite' | 'postgresql') => migrationFiles(dialect).map(({ name }) => name)
  expect(names('sqlite')).toEqual(names('postgresql'))
  const prisma = join(dirname(fileURLToPath(import.meta.url)), '../../prisma')
  const [, ...models] = schemaFiles('sqlite')
  expect(readFileSync(join(prisma, 'migrated.prisma'), 'utf8')).toBe(
    models.map(({ content }) => content).join('\n'),
  )
})
