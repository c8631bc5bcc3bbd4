/**
 * `npm run migration -- <name>`: writes the next migration for both databases, from the difference between the models and
 * what the newest migration left. Prisma's engine asks the PostgreSQL server for its version and writes nothing to it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { migratedSchema, recordMigratedModels, schemaFiles } from '../src/storage/migration-files.ts'
import { openSchemaEngine } from '../src/storage/schema-engine.ts'
import { sqliteAdapter } from '../src/storage/sqlite.ts'
import type { Dialect } from '../src/storage/storage.ts'

const [name, postgresqlUrl] = process.argv.slice(2)
if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name) || postgresqlUrl === undefined) {
  console.error('Usage: npm run migration -- <name_in_snake_case> <URL of a PostgreSQL server>')
  process.exit(2)
}
const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
const scratch = mkdtempSync(join(tmpdir(), 'latchkey-migration-'))
try {
  await write('sqlite', sqliteAdapter({ file: join(scratch, 'scratch.db'), synchronous: 'NORMAL' }))
  await write('postgresql', new PrismaPg({ connectionString: postgresqlUrl }))
  recordMigratedModels()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function write(dialect: Dialect, factory: SqlMigrationAwareDriverAdapterFactory): Promise<void> {
  const engine = await openSchemaEngine(dialect, factory)
  const sql = await engine.difference(migratedSchema(dialect), schemaFiles(dialect))
  await engine.close()
  if (sql === '') return console.log(`${dialect}: the models have not changed`)
  const folder = join(import.meta.dirname, dialect, 'migrations', `${stamp}_${name}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'migration.sql'), sql)
  console.log(`${dialect}: wrote ${stamp}_${name}/migration.sql`)
}
