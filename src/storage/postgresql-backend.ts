import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlQueryable } from '@prisma/driver-adapter-utils'
import pg from 'pg'
import type { Backend } from './backend.ts'
import type { Database, Revisions } from './storage.ts'

export interface PostgresqlBackendOptions {
  readonly url: string
  readonly poolSize: number
  readonly timeoutMilliseconds: number
}

const advisoryLock = 4_715_322_011
const lockWaitMilliseconds = 60_000
const channel = 'latchkey_revision'
const reconnectMilliseconds = 1_000

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
    revisions: () => revisions(url),
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

/**
 * Changes are announced by NOTIFY when their transaction commits. While the listening connection is down nothing is known,
 * and so nothing is cached.
 */
async function revisions(connectionString: string): Promise<Revisions> {
  const seen = new Map<string, number>()
  let epoch = 0
  let listening: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  async function connect(): Promise<void> {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, keepAlive: true })
    const lost = (): void => {
      if (listening === client) listening = undefined
      client.removeAllListeners('end')
      if (!closed) timer = setTimeout(() => void connect().catch(() => {}), reconnectMilliseconds).unref()
    }
    client.on('error', () => {})
    client.on('notification', ({ payload = '' }) => seen.set(payload, (seen.get(payload) ?? 0) + 1))
    client.once('end', lost)
    try {
      await client.connect()
      await client.query(`LISTEN ${channel}`)
    } catch (error) {
      await client.end()
      throw error
    }
    if (closed) return await client.end()
    epoch += 1_000_000_000
    listening = client
  }

  try {
    await connect()
  } catch (error) {
    closed = true
    clearTimeout(timer)
    throw error
  }

  return {
    announce: async (db, topic) =>
      void (await db.$queryRawUnsafe(`SELECT pg_notify('${channel}', $1)::text`, topic)),
    revision: (topic) => (listening === undefined ? undefined : epoch + (seen.get(topic) ?? 0)),
    // The notification of our own change is still under way.
    refresh() {
      epoch += 1
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await listening?.end()
    },
  }
}
