import pg from 'pg'
import type { Revisions } from './storage.ts'

const channel = 'latchkey_revision'
const reconnectMilliseconds = 1_000
const beatMilliseconds = 1_000
/** Without a sign of life for so long, what was heard last is not believed any more. */
const silenceMilliseconds = 3_000

/**
 * Changes are announced by NOTIFY when their transaction commits. As a connection can go silent without an end, it is also
 * asked for the counters every second. While it does not answer nothing is known, and so nothing is cached.
 */
export async function postgresqlRevisions(connectionString: string): Promise<Revisions> {
  const counters = openCounters()
  const listener = await openListener(connectionString, counters)

  return {
    announce: async (db, topic) =>
      void (await db.$queryRawUnsafe(`SELECT pg_notify('${channel}', $1)::text`, topic)),
    revision: (topic) => (listener.isHeard() ? counters.of(topic) : undefined),
    // The notification of our own change is still under way.
    refresh(topics) {
      for (const topic of topics) counters.move(topic)
    },
    close: listener.close,
  }
}

type Counted = readonly [topic: string, value: number]

/** Numbers that move when a topic does; never the table's own, since some of its changes may have been missed. */
function openCounters() {
  const heard = new Map<string, number>()
  const inTable = new Map<string, number>()
  let base = 0

  const move = (topic: string): void => void heard.set(topic, (heard.get(topic) ?? 0) + 1)

  return {
    move,
    of: (topic: string): number => base + (heard.get(topic) ?? 0),
    /** Moves every topic. */
    skip(by: number): void {
      base += by
    },
    compare(rows: readonly Counted[]): void {
      for (const [topic, value] of rows) {
        if (inTable.get(topic) !== value) move(topic)
        inTable.set(topic, value)
      }
    },
  }
}

interface Listener {
  isHeard(): boolean
  close(): Promise<void>
}

/** Listens, and connects anew whenever the connection ends or goes silent. Throws when the first attempt fails. */
async function openListener(
  connectionString: string,
  counters: ReturnType<typeof openCounters>,
): Promise<Listener> {
  let listening: pg.Client | undefined
  let heardAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const isHeard = (): boolean => listening !== undefined && performance.now() - heardAt < silenceMilliseconds

  let asking = false
  async function ask(client: pg.Client): Promise<void> {
    if (asking) return // the answer to the last question is still under way
    asking = true
    try {
      const text = 'SELECT topic, value FROM revision'
      counters.compare((await client.query<[string, number]>({ text, rowMode: 'array' })).rows)
      heardAt = performance.now()
    } finally {
      asking = false
    }
  }

  async function connect(): Promise<void> {
    const client = newClient(connectionString, counters.move)
    client.once('end', () => {
      if (listening === client) listening = undefined
      if (!closed) timer = setTimeout(() => void connect().catch(() => {}), reconnectMilliseconds).unref()
    })
    await client
      .connect()
      .then(() => client.query(`LISTEN ${channel}`))
      .then(() => ask(client))
      .catch((error: unknown) => client.end().then(() => Promise.reject(error)))
    if (closed) return await client.end()
    counters.skip(1_000_000)
    listening = client
  }

  const beat = setInterval(() => {
    const client = listening
    if (client === undefined) return
    // One that has gone silent is given up, whereupon another is opened.
    void (isHeard() ? ask(client) : client.end()).catch(() => {})
  }, beatMilliseconds).unref()

  async function close(): Promise<void> {
    closed = true
    clearInterval(beat)
    clearTimeout(timer)
    await listening?.end()
  }

  await connect().catch(async (error: unknown) => {
    await close()
    throw error
  })
  return { isHeard, close }
}

function newClient(connectionString: string, onNotification: (topic: string) => void): pg.Client {
  const client = new pg.Client({
    connectionString,
    application_name: 'latchkey revisions',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  })
  client.on('error', () => {})
  client.on('notification', ({ payload = '' }) => onNotification(payload))
  return client
}
