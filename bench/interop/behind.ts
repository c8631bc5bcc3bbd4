/** A Latchkey behind a proxy, and the ways to both: through the proxy, and past it. */
import { mkdirSync, readdirSync } from 'node:fs'
import { Agent as TlsAgent } from 'node:https'
import { DatabaseSync } from 'node:sqlite'
import { connect } from 'node:tls'
import { Agent, buildConnector, getGlobalDispatcher, request, setGlobalDispatcher } from 'undici'
import type { Fields } from '../../test/support/application.ts'
import type { Authority, Issued } from '../../test/support/certificates.ts'
import { sendOverTls } from '../../test/support/tls.ts'
import { runToEnd, serve } from '../child.ts'
import type { Cleanup } from '../cleanup.ts'
import { creating, type Ground, launcher, person } from './ground.ts'

/** Who asks through the proxy, and who asks past it; the proxy itself is 127.0.0.1. */
export const caller = '127.0.0.2'
export const stranger = '127.0.0.3'

export interface Ports {
  /** Where Latchkey listens. */
  readonly port: number
  /** Where the proxy is to listen. */
  readonly proxyPort: number
}

export interface Behind extends Ports {
  readonly issuer: string
  createClient: Ground['createClient']
  /** The address of the caller in the newest entry of its log of events. */
  lastAddress(): unknown
  stop(): Promise<void>
}

/** Starts it with the settings that the documents name for this proxy. */
export async function openBehind(
  { folder }: Ground,
  cleanup: Cleanup,
  { settings, port, proxyPort }: Ports & { readonly settings: Readonly<Record<string, string>> },
): Promise<Behind> {
  const own = `${folder}/behind-${port}`
  const env = {
    ...settings,
    PORT: String(port),
    LATCHKEY_DATA_FOLDER: `${own}/data`,
    LATCHKEY_KEY_FOLDER: `${own}/keys`,
  }
  mkdirSync(own)
  const issuer = settings.LATCHKEY_ISSUER ?? ''
  const listens = issuer.replace(/^https:\/\/[^/]*/, `http://127.0.0.1:${port}`)
  const logFile = `${own}/latchkey.log`
  const { stop } = await serve({ args: [launcher, 'serve'], issuer, listens, env, logFile, cleanup })
  const run = (args: readonly string[], input?: string) =>
    runToEnd({ args: [launcher, ...args], env, input, cleanup })
  await run(['setup', 'administrator', '--email', person.email, '--name', 'Ada'], `${person.password}\n`)
  return {
    issuer,
    port,
    proxyPort,
    createClient: creating(run),
    lastAddress() {
      const file = readdirSync(`${own}/data`).find((name) => name.endsWith('.db'))
      using database = new DatabaseSync(`${own}/data/${file}`, { readOnly: true })
      return database.prepare('SELECT address FROM audit_event ORDER BY at DESC, id DESC LIMIT 1').get()
        ?.address
    },
    stop,
  }
}

export interface Asking {
  readonly certificate?: Issued | undefined
  readonly headers?: Fields
  readonly form?: Fields
  /** Keeps TLS sessions, to resume them. */
  readonly agent?: TlsAgent
}

/** An agent of the caller's. Without sessions, each connection proves everything anew. */
export const callersAgent = (sessions: 'kept' | 'not kept', options: object = {}): TlsAgent =>
  new TlsAgent({
    keepAlive: false,
    localAddress: caller,
    family: 4,
    maxCachedSessions: sessions === 'kept' ? 10 : 0,
    ...options,
  })

/** Asks through the proxy; names lead to it, whatever they are. */
export const askThrough =
  (authority: Pick<Authority, 'cert'>, port: number) =>
  (url: string, { agent = callersAgent('not kept'), ...asking }: Asking = {}) =>
    sendOverTls(url, { ca: authority.cert, port, agent, ...asking })

/** Asks past the proxy, as if there were none, from this address of the machine. */
export async function askPast(
  port: number,
  url: string,
  { from, headers = {}, form = {} }: Asking & { readonly from: string },
) {
  const { host, pathname } = new URL(url)
  const dispatcher = new Agent({ localAddress: from })
  const { statusCode, body } = await request(`http://127.0.0.1:${port}${pathname}`, {
    method: 'POST',
    headers: { host, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
    dispatcher,
  })
  await body.dump()
  await dispatcher.close()
  return statusCode
}

/** Says this to the proxy, word for word, as if to the host of that name; the status of the first answer, 0 for none. */
export async function say(
  port: number,
  { to, words }: { readonly to: string; readonly words: string },
): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', servername: to, rejectUnauthorized: false })
  socket.setTimeout(10_000, () => socket.destroy())
  socket.write(words)
  const answer = await readAll(socket).catch(() => '')
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 0)
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Lets everything in this process that uses `fetch` go through the proxy. */
export async function throughProxy<T>(
  authority: Pick<Authority, 'cert'>,
  port: number,
  work: () => Promise<T>,
): Promise<T> {
  const connect = buildConnector({ ca: authority.cert, allowH2: true })
  const before = getGlobalDispatcher()
  const through = new Agent({
    allowH2: true,
    connect: (options, callback) =>
      connect(
        {
          ...options,
          servername: options.hostname,
          hostname: '127.0.0.1',
          port: String(port),
          localAddress: caller,
        },
        callback,
      ),
  })
  setGlobalDispatcher(through)
  try {
    return await work()
  } finally {
    setGlobalDispatcher(before)
    await through.close()
  }
}
