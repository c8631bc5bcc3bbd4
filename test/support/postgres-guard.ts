/**
 * Runs one PostgreSQL server as a child and outlives nobody: when the pipe on standard input closes, because
 * the process at its other end ended in whatever way, the server is killed and its folder removed.
 *
 * Started by postgres.ts with one JSON argument. It prints the server's process id, passes the server's log on
 * as its own standard error and ends when the server does. Lines on standard input, `pause 1 2 3` and
 * `resume`, stop these processes and let them go on.
 */
import { type SpawnOptions, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'

const order = z
  .object({
    command: z.string(),
    args: z.array(z.string()),
    folder: z.string(),
    account: z.object({ uid: z.number(), gid: z.number() }).optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''))

const options: SpawnOptions = { cwd: order.folder, stdio: ['ignore', 'ignore', 'inherit'], ...order.account }
const server = spawn(order.command, order.args, options)
const commands = createInterface({ input: process.stdin })
let paused: readonly number[] = []
let abandoned = false

const signal = (processes: readonly number[], name: NodeJS.Signals): void => {
  for (const id of processes) {
    try {
      process.kill(id, name)
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

const resume = (): void => {
  signal(paused, 'SIGCONT')
  paused = []
}

commands.on('line', (line) => {
  const [verb, ...processes] = line.split(' ')
  resume()
  if (verb === 'pause') {
    paused = processes.map(Number)
    signal(paused, 'SIGSTOP')
  }
  process.stdout.write(`${verb}\n`)
})

commands.on('close', () => {
  abandoned = true
  server.kill('SIGQUIT')
  resume()
})

server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})

server.on('exit', (code) => {
  resume()
  if (abandoned) rmSync(order.folder, { recursive: true, force: true, maxRetries: 5 })
  process.exit(code ?? 1)
})

process.stdout.write(`${server.pid}\n`)
