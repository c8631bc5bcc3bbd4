/**
 * One run of a PostgreSQL server on a data folder: from the first line of its log until every process of it
 * has gone.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Account } from './machine.ts'

export interface PostgresProcess {
  /** Asks for a fast shutdown (SIGINT) or ends it like a crash (SIGKILL); resolves when nothing of it is left. */
  end(signal: 'SIGINT' | 'SIGKILL'): Promise<void>
  pause(processes: readonly number[]): Promise<void>
  resume(): Promise<void>
}

export interface PostgresCommand {
  readonly command: string
  readonly args: readonly string[]
  /** Removed when this process is killed before it could end the server. */
  readonly folder: string
  readonly account: Account | undefined
}

const guard = fileURLToPath(new URL('postgres-guard.ts', import.meta.url))

const spawnGuard = (order: PostgresCommand) => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', guard, JSON.stringify(order)],
    {
      // A session of its own: an interrupt from the terminal reaches the test run first, which then ends it.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  child.stdin.on('error', () => undefined)
  return child
}

/** Resolves when it accepts connections; rejects with its log when it ends before that. */
export const runPostgres = async (order: PostgresCommand): Promise<PostgresProcess> => {
  const child = spawnGuard(order)
  // Every process of the server holds this pipe, so its end is theirs.
  const gone = once(child, 'close')
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => String((await answers.next()).value)
  const log: string[] = []
  const ready = Promise.withResolvers<void>()
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.push(line)
    if (log.length > 50) log.shift()
    if (line.includes('database system is ready to accept connections')) ready.resolve()
  })
  const processId = Number(await answer())
  gone.then(
    () => ready.reject(new Error(`PostgreSQL ended before it was ready:\n${log.join('\n')}`)),
    ready.reject,
  )
  await ready.promise
  const command = async (line: string) => {
    child.stdin.write(`${line}\n`)
    await answer()
  }
  return {
    end: async (signal) => {
      if (child.exitCode === null) {
        await command('resume')
        process.kill(processId, signal)
      }
      await gone
    },
    pause: (processes) => command(`pause ${[processId, ...processes].join(' ')}`),
    resume: () => command('resume'),
  }
}
