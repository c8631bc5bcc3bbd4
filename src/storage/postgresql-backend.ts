import { PrismaPg } from '@prisma/adapter-pg'
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

export async function postgresqlBackend({ url, poolSize, timeoutMilliseconds }: PostgresqlBackendOptions): Promise<Backend> {
  const { PrismaClient } = await import('./generated/postgresql/client.ts')
  const adapter = new PrismaPg({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: timeoutMilliseconds,
    statement_timeout: timeoutMilliseconds,
    query_timeout: timeoutMilliseconds + 1_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  })
  return {
    dialect: 'postgresql',
    adapter,
    db: new PrismaClient({ adapter }) as unknown as Database, // one schema, two clients of the same shape
    revisions: () => revisions(url),
    underLock: (work) => underAdvisoryLock(url, work),
    snapshotFolder: undefined,
  }
}

async function underAdvisoryLock<T>(connectionString: string, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 })
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
    await client.connect()
    await client.query(`LISTEN ${channel}`)
    epoch += 1_000_000_000
    listening = client
  }

  await connect()

  return {
    announce: async (db, topic) => void (await db.$queryRawUnsafe(`SELECT pg_notify('${channel}', $1)::text`, topic)),
    revision: (topic) => (listening === undefined ? undefined : epoch + (seen.get(topic) ?? 0)),
    async close() {
      closed = true
      clearTimeout(timer)
      await listening?.end()
    },
  }
}
