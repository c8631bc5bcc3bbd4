/**
 * Real PostgreSQL 18 servers for tests, from the binaries that npm installed: their folders, ports, passwords
 * and lives. The suite's own server is started once by global-setup.ts; a test that stops its database starts
 * one for itself:
 *
 *     const server = await startPostgres()
 *     const database = await server.createDatabase()
 *     await server.stop()     // connections refused
 *     await server.start()    // same port, same data
 *     await server.close()    // nothing is left
 *
 * Not here: which database a test runs on (database.ts).
 *
 * A server keeps what it committed when it is killed, but not when the machine is: fsync is off.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Account, scratchFolder, unprivilegedAccount } from './machine.ts'
import { openPostgresBinaries } from './postgres-binaries.ts'
import { createDatabaseOn, type PostgresDatabase, queryOn } from './postgres-databases.ts'
import { type PostgresProcess, runPostgres } from './postgres-process.ts'

export interface PostgresServer extends AsyncDisposable {
  /** Of the maintenance database `postgres`, as its superuser. */
  readonly url: string
  createDatabase(): Promise<PostgresDatabase>
  /** Starts it again after `stop` or `kill`, on the same port and data. */
  start(): Promise<void>
  /** Fast shutdown: open transactions are rolled back, connections closed, later ones refused. */
  stop(): Promise<void>
  /** Ends it as a crash would; what was committed is there after `start`. */
  kill(): Promise<void>
  /** Freezes it: connections stay open and nothing answers until `resume`. Not on Windows. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Stops it and removes its data. */
  close(): Promise<void>
}

const user = 'latchkey'

const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '64MB',
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  jit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  io_method: 'sync',
  log_min_messages: 'log',
  log_timezone: 'UTC',
  timezone: 'UTC',
}

const freePort = async (): Promise<number> => {
  const probe = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  probe.once('error', reject)
  probe.listen(0, '127.0.0.1', () => {
    const address = probe.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    probe.close(() => resolve(port))
  })
  return promise
}

interface Cluster {
  readonly folder: string
  readonly password: string
  readonly account: Account | undefined
}

const initialize = async (initdb: string): Promise<Cluster> => {
  const account = await unprivilegedAccount()
  const folder = await mkdtemp(join(scratchFolder(), `latchkey-postgresql-${process.pid}-`))
  const password = randomBytes(18).toString('base64url')
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (account !== undefined) {
    await chown(folder, account.uid, account.gid)
    await chown(passwordFile, account.uid, account.gid)
  }
  const identity = ['-U', user, `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const args = ['-D', join(folder, 'data'), ...identity, ...locale, '--no-sync', '--no-instructions']
  await promisify(execFile)(initdb, args, { cwd: folder, ...account })
  await rm(passwordFile)
  return { folder, password, account }
}

/** The port was free a moment ago; when somebody took it, another one is asked for. */
const firstStart = async (run: (port: number) => Promise<PostgresProcess>, attempts = 3) => {
  const port = await freePort()
  try {
    return { port, server: await run(port) }
  } catch (error) {
    if (attempts === 1 || !/could not bind|already in use/i.test(String(error))) throw error
    return firstStart(run, attempts - 1)
  }
}

/**
 * Makes an empty cluster and starts it on 127.0.0.1; about a second. `ownSettings` replace those made for tests,
 * for example to keep what was committed when the machine dies.
 */
export const startPostgres = async (
  ownSettings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> => {
  const binaries = await openPostgresBinaries()
  const { folder, password, account } = await initialize(binaries.initdb)
  const run = (port: number) => {
    const options = Object.entries({ ...settings, ...ownSettings, port: String(port) }).flatMap(
      ([name, value]) => ['-c', `${name}=${value}`],
    )
    return runPostgres({
      command: binaries.postgres,
      args: ['-D', join(folder, 'data'), ...options],
      folder,
      account,
    })
  }
  const first = await firstStart(run)
  const { port } = first
  let server: PostgresProcess | undefined = first.server
  const url = `postgresql://${user}:${password}@127.0.0.1:${port}/postgres`

  const end = async (signal: 'SIGINT' | 'SIGKILL') => {
    const ending = server
    server = undefined
    await ending?.end(signal)
  }
  const close = async () => {
    await end('SIGINT')
    await rm(folder, { recursive: true, force: true })
  }
  return {
    url,
    createDatabase: () => createDatabaseOn(url),
    start: async () => {
      server ??= await run(port)
    },
    stop: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
    pause: async () => {
      const rows = await queryOn(url, 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
      await server?.pause(rows.map(({ pid }) => Number(pid)))
    },
    resume: async () => server?.resume(),
    close,
    [Symbol.asyncDispose]: close,
  }
}
