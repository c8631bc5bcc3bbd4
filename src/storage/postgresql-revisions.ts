import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { announcementOf, type Counted, type HeardChanges, openHeardChanges } from './heard-changes.ts'
import type { Revisions } from './storage.ts'

const channel = 'latchkey_revision'
const reconnectMilliseconds = 1_000
const beatMilliseconds = 1_000
/** Without a sign of life for so long, what was heard last is not believed any more. */
const silenceMilliseconds = 3_000
const graceMilliseconds = 250

/**
 * Changes are announced by NOTIFY when their transaction commits. As a connection can go silent without an end, it is also
 * asked for the counters every second. While it does not answer nothing is known, and so nothing is cached.
 */
export async function postgresqlRevisions(connectionString: string): Promise<Revisions> {
  const counters = openHeardChanges()
  const listener = await openListener(connectionString, counters)

  return {
    announce: async (db, change) =>
      void (await db.$queryRawUnsafe(`SELECT pg_notify('${channel}', $1)::text`, announcementOf(change))),
    revision: (topic) => (listener.isHeard() ? counters.of(topic) : undefined),
    changedSince: counters.changedSince,
    // The notification of our own change is still under way.
    refresh(changes) {
      for (const { topic, key } of changes) counters.move(topic, key)
    },
    close: listener.close,
  }
}

interface Listener {
  isHeard(): boolean
  close(): Promise<void>
}

/** Listens, and connects anew whenever the connection ends or goes silent. Throws when the first attempt fails. */
async function openListener(connectionString: string, counters: HeardChanges): Promise<Listener> {
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
      await compare(client, counters, graceMilliseconds)
      heardAt = performance.now()
    } finally {
      asking = false
    }
  }

  async function connect(): Promise<void> {
    const client = newClient(connectionString, counters.hear)
    client.once('end', () => {
      if (listening === client) listening = undefined
      if (!closed) timer = setTimeout(() => void connect().catch(() => {}), reconnectMilliseconds).unref()
    })
    await client
      .connect()
      .then(() => client.query(`LISTEN ${channel}`))
      .then(() => compare(client, counters, 0))
      .catch((error: unknown) => client.end().then(() => Promise.reject(error)))
    if (closed) return await client.end()
    counters.skip(1_000_000)
    heardAt = performance.now()
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

/** What was committed a moment ago may be in the answer before its notification comes. */
async function compare(client: pg.Client, counters: HeardChanges, waitMilliseconds: number): Promise<void> {
  const known = counters.known()
  const rows = await counted(client)
  if (waitMilliseconds > 0 && counters.isBehind(rows))
    await pause(waitMilliseconds, undefined, { ref: false })
  counters.compare(rows, known)
}

async function counted(client: pg.Client): Promise<readonly Counted[]> {
  const text = 'SELECT topic, value FROM revision'
  return (await client.query<[string, number]>({ text, rowMode: 'array' })).rows
}

function newClient(connectionString: string, onNotification: (payload: string) => void): pg.Client {
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
