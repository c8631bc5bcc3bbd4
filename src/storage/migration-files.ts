import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Dialect } from './storage.ts'

export interface Migration {
  /** `<UTC timestamp>_<name>`, as `prisma migrate` names its folders. */
  readonly name: string
  readonly sql: string
  /** SHA-256 of the script, hexadecimal, as Prisma records it. */
  readonly checksum: string
}

const schemaFolder = join(import.meta.dirname, '../../prisma')

/** The migration history of one database, oldest first. */
export function migrationFiles(dialect: Dialect): readonly Migration[] {
  const folder = join(schemaFolder, dialect, 'migrations')
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

export type Schema = readonly { readonly path: string; readonly content: string }[]

/** The schema of one database: its thin header and the models that both share. */
export function schemaFiles(dialect: Dialect): Schema {
  const models = join(schemaFolder, 'models')
  const shared = readdirSync(models)
    .sort()
    .map((path) => ({ path, content: readFileSync(join(models, path), 'utf8') }))
  return [header(dialect), ...shared]
}

const header = (dialect: Dialect) => ({
  path: 'schema.prisma',
  content: readFileSync(join(schemaFolder, dialect, 'schema.prisma'), 'utf8'),
})

const migratedFile = join(schemaFolder, 'migrated.prisma')

/** The schema as the newest migration left it; `undefined` before the first one. */
export function migratedSchema(dialect: Dialect): Schema | undefined {
  if (!existsSync(migratedFile)) return undefined
  return [header(dialect), { path: 'migrated.prisma', content: readFileSync(migratedFile, 'utf8') }]
}

/** Records that the models are what the newest migration leads to. */
export function recordMigratedModels(): void {
  const [, ...models] = schemaFiles('sqlite')
  writeFileSync(migratedFile, models.map(({ content }) => content).join('\n'))
}
