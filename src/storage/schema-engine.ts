import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'
import type { MigrationList } from '@prisma/schema-engine-wasm'
import type * as Bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import { type Migration, type Schema, schemaFiles } from './migration-files.ts'
import type { Dialect } from './storage.ts'

const noFilters = { externalTables: [], externalEnums: [] }

const historyOf = (dialect: Dialect, migrations: readonly Migration[]): MigrationList => ({
  baseDir: 'migrations',
  lockfile: { path: 'migration_lock.toml', content: `provider = "${dialect}"\n` },
  shadowDbInitScript: '',
  migrationDirectories: migrations.map(({ name, sql }) => ({
    path: name,
    migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
  })),
})

export interface SchemaEngine {
  /** Applies what is not applied yet and records it in `_prisma_migrations`; returns the names. */
  apply(migrations: readonly Migration[]): Promise<readonly string[]>
  /** The SQL that leads from one schema (nothing, if undefined) to another; empty when they agree. No database is asked. */
  difference(from: Schema | undefined, to: Schema): Promise<string>
  /** Closes its connections, which the engine by itself leaves open. */
  close(): Promise<void>
}

/**
 * Prisma's schema engine compiled to WebAssembly, over our own driver adapter: the same engine that `prisma migrate`
 * downloads as a native program. It is loaded only where there is something to migrate, as it takes tens of megabytes.
 */
export async function openSchemaEngine(
  dialect: Dialect,
  factory: SqlMigrationAwareDriverAdapterFactory,
): Promise<SchemaEngine> {
  const datamodels = schemaFiles(dialect).map(({ path, content }): [string, string] => [path, content])
  instantiated ??= instantiate()
  const { SchemaEngine } = await instantiated
  const connections: SqlDriverAdapter[] = []
  const remembered: SqlMigrationAwareDriverAdapterFactory = {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connectToShadowDb: () => factory.connectToShadowDb(),
    async connect() {
      const connection = await factory.connect()
      connections.push(connection)
      return connection
    },
  }
  const engine = await SchemaEngine.new(
    { datamodels },
    () => {},
    bindMigrationAwareSqlAdapterFactory(remembered),
  )

  return {
    async close() {
      engine.free()
      for (const connection of connections) await connection.dispose()
    },

    async apply(migrations) {
      const migrationsList = historyOf(dialect, migrations)
      return (await engine.applyMigrations({ migrationsList, filters: noFilters })).appliedMigrationNames
    },

    async difference(from, to) {
      const { stdout } = await engine.diff({
        from: from === undefined ? { tag: 'empty' } : { tag: 'schemaDatamodel', files: [...from] },
        to: { tag: 'schemaDatamodel', files: [...to] },
        script: true,
        exitCode: null,
        filters: noFilters,
      })
      return stdout?.includes('-- This is an empty migration') ? '' : (stdout ?? '')
    },
  }
}

// The bindings keep the instance in a variable of their own module, so a process can have only one.
let instantiated: Promise<typeof Bindings> | undefined

async function instantiate(): Promise<typeof Bindings> {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const path = join(
    dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm')),
    'schema_engine_bg.wasm',
  )
  const { instance } = await WebAssembly.instantiate(readFileSync(path), {
    './schema_engine_bg.js': { ...bindings, ...withoutWaiting(bindings) },
  })
  bindings.__wbg_set_wasm(instance.exports)
  ;(instance.exports as { __wbindgen_start?: () => void }).__wbindgen_start?.()
  return bindings
}

/** The engine's lock has a time limit of ten seconds that is never cleared, and would keep the process that long. */
function withoutWaiting(bindings: object): Record<string, unknown> {
  const timers = Object.keys(bindings).filter((name) => name.startsWith('__wbg_setTimeout_'))
  const start = (callback: () => void, milliseconds: number) => setTimeout(callback, milliseconds).unref()
  return Object.fromEntries(timers.map((name) => [name, start]))
}
