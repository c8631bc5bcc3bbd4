import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { migrationFiles } from '../../src/storage/migration-files.ts'
import { createDatabase, databaseKind, type TestDatabase } from '../support/database.ts'
import { queryOn } from '../support/postgres-databases.ts'
import { migrated } from '../support/storage.ts'
import { openVersion, type Version } from '../support/versions.ts'

const kind = databaseKind()
const own = migrationFiles(kind).map(({ name }) => name)
const both = (sql: string) => ({ sqlite: sql, postgresql: sql })
const forever = {
  sqlite:
    'WITH RECURSIVE endless(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM endless) SELECT count(*) FROM endless;',
  postgresql: 'SELECT pg_sleep(600);',
}
/** Long enough for every process to find it pending. */
const slowly = {
  sqlite: `CREATE TABLE numbers AS
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted LIMIT 2000000) SELECT n FROM counted;
    CREATE TABLE slow (id TEXT);`,
  postgresql: 'SELECT pg_sleep(1); CREATE TABLE slow (id TEXT);',
}
const laterName = '29990101000000_later'

let present: Version
let later: Version
let broken: Version
let endless: Version
let slow: Version
beforeAll(async () => {
  ;[present, later, broken, endless, slow] = await Promise.all([
    openVersion(),
    openVersion({ [laterName]: both('ALTER TABLE revision ADD COLUMN note TEXT;') }),
    openVersion({
      [laterName]: both('CREATE TABLE half (id TEXT);\nALTER TABLE missing ADD COLUMN note TEXT;'),
    }),
    openVersion({ [laterName]: forever }),
    openVersion({ [laterName]: slowly }),
  ])
})
afterAll(async () => {
  for (const version of [present, later, broken, endless, slow]) await version[Symbol.asyncDispose]()
})

const fileOf = ({ url }: TestDatabase): string => url.slice('file:'.length)
const query = async (database: TestDatabase, sql: string): Promise<Record<string, unknown>[]> => {
  if (kind === 'postgresql') return await queryOn(database.url, sql)
  const file = new DatabaseSync(fileOf(database))
  try {
    return file
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    file.close()
  }
}
const history = `SELECT * FROM _prisma_migrations ORDER BY migration_name`
const snapshotsOf = (database: TestDatabase): string[] => {
  try {
    return readdirSync(join(dirname(fileOf(database)), 'snapshots'))
  } catch {
    return []
  }
}
/** Somebody's data, which no migration may lose. */
const withData = async (): Promise<TestDatabase> => {
  const database = await createDatabase(migrated)
  await query(database, `INSERT INTO revision (topic, value) VALUES ('mine', 7)`)
  return database
}

it('migrates a fresh database once when five processes start on it at once, and the second time nothing', async () => {
  const database = await createDatabase()
  const results = await Promise.all(
    Array.from({ length: 5 }, () => slow.run({ databaseUrl: database.url, command: 'migrate' })),
  )
  expect(results.map(({ error }) => error)).toEqual(Array(5).fill(undefined))
  expect(results.flatMap(({ applied }) => applied ?? [])).toEqual([...own, laterName])
  expect(await slow.run({ databaseUrl: database.url, command: 'migrate' })).toEqual({ applied: [] })
  expect(await query(database, history)).toHaveLength(own.length + 1)
  await database.drop()
})

it('ends its process as soon as it is done', async () => {
  const database = await createDatabase()
  const child = present.start({ databaseUrl: database.url, command: 'migrate' })
  const gone = once(child, 'exit')
  if (child.stdout === null) throw new Error('The process has no output.')
  await once(child.stdout, 'data')
  const answered = performance.now()
  expect(await gone).toEqual([0, null])
  expect(performance.now() - answered).toBeLessThan(9_000)
})

it('records what it did as Prisma does', async () => {
  const database = await createDatabase(migrated)
  const rows = await query(database, history)
  const checksums = migrationFiles(kind).map(({ name, checksum }) => [name, checksum])
  expect(rows.map((row) => [row.migration_name, row.checksum])).toEqual(checksums)
  for (const row of rows) {
    expect(Object.keys(row).sort()).toEqual([
      'applied_steps_count',
      'checksum',
      'finished_at',
      'id',
      'logs',
      'migration_name',
      'rolled_back_at',
      'started_at',
    ])
    expect(row.id).toMatch(/^[0-9a-f-]{36}$/)
    expect([row.rolled_back_at, Number(row.applied_steps_count)]).toEqual([null, 1])
    expect(row.finished_at).not.toBeNull()
  }
  await database.drop()
})

it('tells how far a database is without changing it', async () => {
  const fresh = await createDatabase()
  const state = { applied: [], pending: own }
  expect(await present.run({ databaseUrl: fresh.url, command: 'state' })).toEqual(state)
  if (kind === 'sqlite') expect(readdirSync(dirname(fileOf(fresh)))).toEqual([])
  else expect(await query(fresh, `SELECT 1 FROM pg_class WHERE relname = '_prisma_migrations'`)).toEqual([])
  const database = await withData()
  expect(await later.run({ databaseUrl: database.url, command: 'state' })).toEqual({
    applied: own,
    pending: [laterName],
  })
  expect(await query(database, history)).toHaveLength(own.length)
  expect(snapshotsOf(database)).toEqual([])
})

it('brings a database with data up to date and keeps the data', async () => {
  const database = await withData()
  expect(await later.run({ databaseUrl: database.url, command: 'migrate' })).toEqual({ applied: [laterName] })
  expect(await query(database, 'SELECT * FROM revision')).toEqual([{ topic: 'mine', value: 7, note: null }])
})

it('refuses a database that a newer version has migrated, and leaves it as it is', async () => {
  const database = await withData()
  await later.run({ databaseUrl: database.url, command: 'migrate' })
  for (const command of ['open', 'migrate', 'state'] as const) {
    const { error } = await present.run({ databaseUrl: database.url, command })
    expect(error?.code).toBe('storage.newer_schema')
    expect(error?.message).toContain(laterName)
  }
  expect(await query(database, 'SELECT * FROM revision')).toHaveLength(1)
})

it('refuses a database in which a migration failed', async () => {
  const database = await withData()
  const first = await broken.run({ databaseUrl: database.url, command: 'open' })
  expect(first.error?.message).toMatch(/missing/)
  for (const version of [broken, later, present]) {
    const { error } = await version.run({ databaseUrl: database.url, command: 'open' })
    expect(error?.code).toBe('storage.failed_migration')
    expect(error?.message).toContain(laterName)
  }
  expect(await query(database, 'SELECT topic, value FROM revision')).toEqual([{ topic: 'mine', value: 7 }])
})

it('gives its turn back when it is killed, and what it left half-way is refused', async () => {
  const database = await withData()
  const child = endless.start({ databaseUrl: database.url, command: 'migrate' })
  const gone = once(child, 'exit')
  const started = `SELECT 1 FROM _prisma_migrations WHERE migration_name = '${laterName}'`
  await vi.waitFor(async () => expect(await query(database, started)).toHaveLength(1), {
    timeout: 20_000,
    interval: 50,
  })
  const waiting = later.start({ databaseUrl: database.url, command: 'migrate' })
  const ended = once(waiting, 'exit')
  child.kill('SIGKILL')
  await gone
  await ended
  expect(waiting.exitCode).toBe(0)
  const { error } = await later.run({ databaseUrl: database.url, command: 'migrate' })
  expect(error?.code).toBe('storage.failed_migration')
  await database.drop()
})

it('does not touch a database that is somebody else’s', async () => {
  const database = await createDatabase()
  await query(database, 'CREATE TABLE theirs (answer INTEGER)')
  const { error } = await present.run({ databaseUrl: database.url, command: 'open' })
  expect(error?.message).toMatch(/not empty/)
  expect(await query(database, 'SELECT * FROM theirs')).toEqual([])
})

if (kind === 'sqlite') {
  it('copies a file that holds anything before it migrates, and the copy can take its place', async () => {
    const database = await withData()
    expect(snapshotsOf(database)).toEqual([])
    await broken.run({ databaseUrl: database.url, command: 'open' })
    const [snapshot = '', ...others] = snapshotsOf(database)
    expect(others).toEqual([])
    expect(snapshot).toMatch(/^\d{4}-\d\d-\d\dT[\d-]+Z-before-29990101000000_later\.db$/)
    const file = fileOf(database)
    for (const suffix of ['-wal', '-shm']) await rm(`${file}${suffix}`, { force: true })
    await copyFile(join(dirname(file), 'snapshots', snapshot), file)
    expect(await later.run({ databaseUrl: database.url, command: 'migrate' })).toEqual({
      applied: [laterName],
    })
    expect(await query(database, 'SELECT topic, value FROM revision')).toEqual([{ topic: 'mine', value: 7 }])
  })

  it('copies nothing where there was nothing', async () => {
    const database = await createDatabase()
    expect(await present.run({ databaseUrl: database.url, command: 'migrate' })).toEqual({ applied: own })
    expect(snapshotsOf(database)).toEqual([])
  })
}
