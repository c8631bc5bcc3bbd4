import Database from 'libsql'
import pg from 'pg'
import type { Revisions, Topic } from './storage.ts'

/**
 * SQLite: a connection of its own reads the counter at each question (some microseconds), so a change made by another
 * process, such as the command line, counts from its commit on.
 */
export function sqliteRevisions(file: string): Revisions {
  const database = new Database(file, { timeout: 1_000 })
  const select = database.prepare<[string]>('SELECT value FROM revision WHERE topic = ?')

  return {
    async touch(db, topic) {
      await db.revision.upsert({ where: { topic }, create: { topic, value: 1 }, update: { value: { increment: 1 } } })
    },
    revision: (topic) => (select.get(topic) as { value: number } | undefined)?.value ?? 0,
    close: async () => void database.close(),
  }
}

const channel = 'latchkey_revision'
const reconnectMilliseconds = 1_000

/**
 * PostgreSQL: changes are announced by NOTIFY when their transaction commits. While the listening connection is down
 * nothing is known, and so nothing is cached.
 */
export async function postgresqlRevisions(connectionString: string): Promise<Revisions> {
  const seen = new Map<string, number>()
  let epoch = 0
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const lost = (lostClient: pg.Client) => (): void => {
    if (client !== lostClient) return
    client = undefined
    if (!closed) timer = setTimeout(() => void connect().catch(() => {}), reconnectMilliseconds).unref()
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, keepAlive: true })
    client = next
    next.on('error', lost(next))
    next.on('end', lost(next))
    next.on('notification', ({ payload = '' }) => seen.set(payload, (seen.get(payload) ?? 0) + 1))
    try {
      await next.connect()
      await next.query(`LISTEN ${channel}`)
      epoch += 1_000_000_000
      listening.add(next)
    } catch (error) {
      lost(next)()
      throw error
    }
  }

  const listening = new WeakSet<pg.Client>()
  await connect()

  return {
    async touch(db, topic) {
      await db.revision.upsert({ where: { topic }, create: { topic, value: 1 }, update: { value: { increment: 1 } } })
      await db.$queryRawUnsafe(`SELECT pg_notify('${channel}', $1)::text`, topic)
    },
    revision: (topic: Topic) =>
      client !== undefined && listening.has(client) ? epoch + (seen.get(topic) ?? 0) : undefined,
    async close() {
      closed = true
      clearTimeout(timer)
      await client?.end()
    },
  }
}
