/**
 * A running Latchkey of the test's own: the real server on a free port, over a fresh database of the project's kind.
 *
 *     await using latchkey = await startLatchkey()
 *     const client = await latchkey.createClient({ kind: 'service', scopes: [] })
 */
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, openApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/config.ts'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, parseCreate } from '../../src/kernel/input.ts'
import type { Log } from '../../src/kernel/log.ts'
import { type Server, serve } from '../../src/serve.ts'
import { createDatabase, type Template } from './database.ts'

/** The key under which the template's own keys are sealed. */
export const masterKey = Buffer.alloc(32, 7).toString('base64url')

export interface LatchkeyOptions {
  /** Environment variables beside those of the harness. */
  readonly environment?: Readonly<Record<string, string>>
  readonly clock?: Clock
  /** An own database; it is not dropped. */
  readonly databaseUrl?: string
}

export interface CreatedClient {
  readonly id: string
  readonly secret: string
}

/** A mail as its receiver sees it. */
export interface ReceivedMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** Where its button leads; empty where it has none. */
  readonly link: string
  readonly code: string
}

export interface RunningLatchkey extends AsyncDisposable {
  readonly issuer: string
  readonly databaseUrl: string
  readonly app: App
  readonly server: Server
  /** Every line logged so far, as JSON text. */
  readonly logged: readonly string[]
  createClient(input: Readonly<Record<string, unknown>>): Promise<CreatedClient>
  createApi(input: Readonly<Record<string, unknown>>): Promise<void>
  createUser(user: {
    readonly email: string
    readonly name?: string
    readonly password: string
  }): Promise<string>
  /** Delivers what waits, and answers with every mail so far, the oldest first. */
  mails(): Promise<readonly ReceivedMail[]>
  close(): Promise<void>
}

export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, 'localhost', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

/** A migrated database whose signing keys are made, as making RSA keys takes its time. */
export const withKeys: Template = {
  name: 'with_keys',
  async prepare(url) {
    const app = await openTestApp({
      databaseUrl: url,
      port: 0,
      log: collectingLog([]),
      clock: systemClock,
      environment: {},
    })
    await app.features.signingKeys.keys.snapshot()
    for (const job of app.features.signingKeys.jobs ?? []) await job.run()
    await app.close()
  },
}

interface Opening {
  readonly databaseUrl: string
  readonly port: number
  readonly log: Log
  readonly clock: Clock
  readonly environment: Readonly<Record<string, string>>
}

function openTestApp({ databaseUrl, port, log, clock, environment }: Opening): Promise<App> {
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    LATCHKEY_MASTER_KEY: masterKey,
    LATCHKEY_SAMPLE_PORT: '0',
    ...environment,
  })
  return openApp({ config, clock, log })
}

export async function startLatchkey({
  environment = {},
  clock = systemClock,
  databaseUrl,
}: LatchkeyOptions = {}): Promise<RunningLatchkey> {
  const own = databaseUrl === undefined ? await createDatabase(withKeys) : undefined
  const url = databaseUrl ?? own?.url ?? ''
  const logged: string[] = []
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'))
  const app = await openTestApp({
    databaseUrl: url,
    port: await freePort(),
    log: collectingLog(logged),
    clock,
    environment: { LATCHKEY_DATA_FOLDER: folder, ...environment },
  })
  const server = await serve(app)

  const close = async (): Promise<void> => {
    await server.stop()
    await app.close()
    await own?.drop()
    await rm(folder, { recursive: true, force: true })
  }

  return {
    issuer: app.config.issuer,
    databaseUrl: url,
    app,
    server,
    logged,
    async createClient(input) {
      const { resource } = app.features.clients
      const { item, reveals } = await resource.create(
        accept(parseCreate(resource.fields, input)),
        commandLineActor,
      )
      return { id: item.id, secret: reveals?.secret ?? '' }
    },
    async createApi(input) {
      const { resource } = app.features.resources
      await resource.create(accept(parseCreate(resource.fields, input)), commandLineActor)
    },
    async createUser({ email, name, password }) {
      const { users, passwords } = app.features
      const user = await users.users.create({ email, ...(name && { name }) }, { actor: commandLineActor })
      const hash = await passwords.passwords.prepare(password, {})
      await app.storage.transaction((db) => passwords.passwords.set(db, user.id, hash))
      return user.id
    },
    async mails() {
      const { outbox, mail } = app.features
      // What is delivered can put something of its own, such as the mail that a request asked for.
      await outbox.worker.drain()
      await outbox.worker.drain()
      const failed = (await outbox.queue.list('mail', 1)).find(({ lastError }) => lastError !== null)
      if (failed !== undefined && environment.LATCHKEY_MAIL_SMTP_URL === undefined) {
        throw new Error(`A mail could not be written: ${failed.lastError}`)
      }
      const received = (await mail.inbox?.list()) ?? []
      return received.toReversed().map(({ link = '', code = '', ...words }) => ({ ...words, link, code }))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function collectingLog(lines: string[]): Log {
  const write = (level: string) => (fields: object, message: string) => {
    lines.push(
      JSON.stringify({ level, ...fields, message }, (_key, value: unknown) =>
        value instanceof Error ? `${value.name}: ${value.message}` : value,
      ),
    )
  }
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  }
  return log
}
