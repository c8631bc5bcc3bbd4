/**
 * The database a test runs on: SQLite or PostgreSQL, as its vitest project says, fresh and its own. A test file
 * does not choose and need not know; where the two must differ, `databaseKind()` tells.
 *
 *     const database = await createDatabase(migrated)
 *     startLatchkey({ DATABASE_URL: database.url })
 *     await database.drop()
 *
 * A template is prepared once per run and kind of database, and every test that names it gets a copy. What a
 * test does not drop goes with the run.
 */
import { randomUUID } from 'node:crypto'
import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inject } from 'vitest'
import { createDatabaseOn, ensureTemplateOn } from './postgres-databases.ts'
import type { DatabaseKind, Shared } from './shared.ts'

export interface TestDatabase {
  /** As DATABASE_URL takes it. */
  readonly url: string
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>
}

export interface Template {
  /** Lower-case letters and underscores. */
  readonly name: string
  /** Brings an empty database to the state that tests start from and closes every connection to it. */
  prepare(url: string): Promise<void>
}

const fileName = 'latchkey.db'
const urlIn = (folder: string): string => `file:${join(folder, fileName)}`

export const databaseKind = (): DatabaseKind => inject('database')

/** Several workers may do so at once: the first to finish gives the template. */
const ensureSqliteTemplate = async (shared: Shared, { name, prepare }: Template) => {
  const template = join(shared.folder, `template-${name}`)
  const exists = () =>
    stat(template).then(
      () => true,
      () => false,
    )
  if (await exists()) return template
  const draft = join(shared.folder, `draft-${randomUUID()}`)
  await mkdir(draft)
  await prepare(urlIn(draft))
  await rename(draft, template).catch(async (cause) => {
    if (!(await exists())) throw cause
    await rm(draft, { recursive: true })
  })
  return template
}

const createSqlite = async (shared: Shared, template?: Template): Promise<TestDatabase> => {
  const folder = await mkdtemp(join(shared.folder, 'sqlite-'))
  if (template !== undefined)
    await cp(await ensureSqliteTemplate(shared, template), folder, { recursive: true })
  return { url: urlIn(folder), drop: () => rm(folder, { recursive: true, force: true }) }
}

const createPostgres = async (shared: Shared, template?: Template): Promise<TestDatabase> => {
  const { postgresUrl, prefix } = shared
  if (postgresUrl === undefined) throw new Error('This run has no PostgreSQL server: its projects need none.')
  if (template === undefined) return createDatabaseOn(postgresUrl, { prefix })
  const name = `${prefix}_template_${template.name}`
  await ensureTemplateOn(postgresUrl, name, template.prepare)
  return createDatabaseOn(postgresUrl, { prefix, template: name })
}

/** Empty without a template. */
export const createDatabase = (template?: Template): Promise<TestDatabase> =>
  databaseKind() === 'sqlite'
    ? createSqlite(inject('shared'), template)
    : createPostgres(inject('shared'), template)
