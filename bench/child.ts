import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Cleanup } from './cleanup.ts'
import { discoveryUrl } from './target.ts'

const startLimitMs = 60_000
const stopLimitMs = 15_000

/** A server process and how long it took to its first answer. */
export interface Served {
  readonly pid: number
  readonly coldStartMs: number
  stop(): Promise<void>
}

/**
 * Spawns this Node with `args` and waits until `issuer` answers its discovery document.
 * Output goes to `logFile`: a pipe would make the generator pay for the server's logging.
 * @throws with the end of the log when the process ends, or does not answer within a minute
 */
export async function serve(options: {
  readonly args: readonly string[]
  readonly issuer: string
  /** Where it listens, when the issuer's address leads elsewhere; there it says so (421). */
  readonly listens?: string
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
  readonly cleanup: Cleanup
}): Promise<Served> {
  const log = openSync(options.logFile, 'a')
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...options.args], {
    env: { ...inheritedEnvironment(), ...options.env },
    stdio: ['ignore', log, log],
  })
  const forget = options.cleanup.onExit(() => child.kill('SIGKILL'))
  child.once('exit', forget)
  await firstAnswer(child, options)
  const coldStartMs = performance.now() - startedAt
  if (child.pid === undefined) throw new Error('the server process has no id')
  return { pid: child.pid, coldStartMs, stop: () => stop(child) }
}

/** Runs this Node with `args` to its end and returns what it printed. @throws on another exit code than 0 */
export async function runToEnd(options: {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly input?: string
  readonly cleanup: Cleanup
}): Promise<string> {
  const child = spawn(process.execPath, [...options.args], {
    env: { ...inheritedEnvironment(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const forget = options.cleanup.onExit(() => child.kill('SIGKILL'))
  child.once('exit', forget)
  child.stdin.end(options.input ?? '')
  const [output, errors, [code]] = await Promise.all([
    child.stdout.toArray(),
    child.stderr.toArray(),
    once(child, 'exit'),
  ])
  if (code !== 0) {
    throw new Error(
      `${options.args.join(' ')} ended with ${code}: ${Buffer.concat(errors)}${Buffer.concat(output)}`,
    )
  }
  return Buffer.concat(output).toString()
}

/** A port the system had free a moment ago; an issuer must be known before its server listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was assigned')
  return address.port
}

async function firstAnswer(
  child: ChildProcess,
  {
    issuer,
    listens,
    logFile,
  }: { readonly issuer: string; readonly listens?: string; readonly logFile: string },
): Promise<void> {
  const url = discoveryUrl(listens ?? issuer)
  const expected = listens === undefined ? 200 : 421
  const limit = performance.now() + startLimitMs
  while (performance.now() < limit) {
    if (child.exitCode !== null || child.signalCode !== null) break
    const status = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer()
        return response.status
      },
      () => undefined,
    )
    if (status === expected) return
    await pause(5)
  }
  child.kill('SIGKILL')
  throw new Error(`no answer from ${url}; its log ends:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  await ended
  clearTimeout(kill)
}

/** Without what configures a Latchkey of the user's own: its database must never be seeded or measured. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const own = /^(LATCHKEY_.*|DATABASE_URL(_FILE)?|PORT)$/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
}
