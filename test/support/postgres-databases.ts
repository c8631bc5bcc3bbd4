/**
 * Databases on a running PostgreSQL server: empty ones, and copies of one that was prepared once. The server
 * may be the user's own, so names are unmistakable and everything made is dropped again.
 */
import { randomBytes } from 'node:crypto'
import { Client, Pool } from 'pg'

export interface PostgresDatabase {
  readonly url: string
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>
}

/** One statement on a connection of its own. */
export const queryOn = async (url: string, statement: string): Promise<Record<string, unknown>[]> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows
  } finally {
    await client.end()
  }
}

const pools = new Map<string, Pool>()

/** The same on a connection that the next statement finds open; it does not keep the process alive. */
async function administer(url: string, statement: string): Promise<void> {
  const pool = pools.get(url) ?? new Pool({ connectionString: url, max: 1, allowExitOnIdle: true })
  if (!pools.has(url)) pool.on('error', () => {}) // its server was stopped; the next statement connects anew
  pools.set(url, pool)
  await pool.query(statement)
}

const withDatabase = (url: string, name: string): string => {
  const named = new URL(url)
  named.pathname = `/${name}`
  return named.href
}

export interface NewDatabase {
  /** Begins its name. */
  readonly prefix?: string
  /** The database to copy, which nobody may be connected to; left out, the new one is empty. */
  readonly template?: string
}

/** A database of its own for a test. */
export const createDatabaseOn = async (
  serverUrl: string,
  { prefix = 'latchkey_test', template = 'template0' }: NewDatabase = {},
): Promise<PostgresDatabase> => {
  const name = `${prefix}_${randomBytes(8).toString('hex')}`
  await administer(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  return {
    url: withDatabase(serverUrl, name),
    drop: () => administer(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  }
}

/**
 * Makes the database `name` with what `prepare` puts into it, unless it is there. Several processes may do so
 * at once: the first to finish gives the name, the others drop theirs.
 */
export const ensureTemplateOn = async (
  serverUrl: string,
  name: string,
  prepare: (url: string) => Promise<void>,
): Promise<void> => {
  const exists = `SELECT 1 FROM pg_database WHERE datname = '${name}'`
  if ((await queryOn(serverUrl, exists)).length > 0) return
  const draft = await createDatabaseOn(serverUrl)
  try {
    await prepare(draft.url)
    const draftName = new URL(draft.url).pathname.slice(1)
    await queryOn(serverUrl, `ALTER DATABASE ${draftName} RENAME TO ${name}`)
  } catch (error) {
    if ((await queryOn(serverUrl, exists)).length === 0) throw error
  } finally {
    await draft.drop()
  }
}

/** Drops every database whose name begins with `prefix`. */
export const dropDatabasesOn = async (serverUrl: string, prefix: string): Promise<void> => {
  const found = await queryOn(
    serverUrl,
    `SELECT datname FROM pg_database WHERE starts_with(datname, '${prefix}')`,
  )
  for (const { datname } of found) await queryOn(serverUrl, `DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`)
}
