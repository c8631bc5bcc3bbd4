import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlQueryable } from '@prisma/driver-adapter-utils'
import pg from 'pg'
import type { Backend } from './backend.ts'
import { postgresqlRevisions } from './postgresql-revisions.ts'
import type { Database } from './storage.ts'

export interface PostgresqlBackendOptions {
  readonly url: string
  readonly poolSize: number
  readonly timeoutMilliseconds: number
}

const advisoryLock = 4_715_322_011
const lockWaitMilliseconds = 60_000

export async function postgresqlBackend({
  url,
  poolSize,
  timeoutMilliseconds,
}: PostgresqlBackendOptions): Promise<Backend> {
  const { PrismaClient } = await import('./generated/postgresql/client.ts')
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: timeoutMilliseconds,
    statement_timeout: timeoutMilliseconds,
    query_timeout: timeoutMilliseconds + 1_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  })
  pool.on('error', () => {}) // an idle connection that was lost; the next query opens another
  const adapter = new PrismaPg(pool, { disposeExternalPool: true, statementNameGenerator: statementNames() })
  let connection: Promise<SqlQueryable> | undefined
  return {
    dialect: 'postgresql',
    adapter: new PrismaPg({ connectionString: url, max: 2 }),
    db: new PrismaClient({ adapter }) as unknown as Database, // one schema, two clients of the same shape
    connection: () => (connection ??= adapter.connect()),
    revisions: () => postgresqlRevisions(url),
    underLock: (work) => underAdvisoryLock(url, work),
    snapshotFolder: undefined,
  }
}

/** Each statement is parsed and planned once a connection. */
function statementNames(): (query: { readonly sql: string }) => string {
  const names = new Map<string, string>()
  return ({ sql }) => {
    const known = names.get(sql)
    if (known !== undefined) return known
    const name = `latchkey_${names.size}`
    names.set(sql, name)
    return name
  }
}

async function underAdvisoryLock<T>(connectionString: string, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {}) // lost meanwhile: the work, on connections of its own, fails or succeeds by itself
  await client.connect()
  try {
    await client.query(`SET lock_timeout = ${lockWaitMilliseconds}`)
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLock])
    return await work()
  } finally {
    await client.end()
  }
}
