/**
 * The command line in this process, over features that are opened anew for each run as a process would.
 *
 *     const { code, stdout } = await latchkey(['clients', 'list', '--json'])
 */
import { PassThrough } from 'node:stream'
import { type CommandLinePorts, runCommandLine } from '../../src/cli/index.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** What a pipe holds on standard input; left out, it is empty. */
  readonly stdin?: string | Buffer
  /** What a person at a terminal types, each answer after the prompt that ends with the text before it. */
  readonly typed?: readonly (readonly [prompt: string, keys: string])[]
}

/** Collects what is written, and answers prompts as a person would: when they are there. */
function terminal(typed: NonNullable<RunOptions['typed']>) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
  const stderr = new PassThrough()
  const waiting = [...typed]
  let unread = ''
  stderr.on('data', (chunk: Buffer) => {
    unread += chunk.toString()
    const next = waiting[0]
    if (next === undefined || !unread.includes(next[0])) return
    waiting.shift()
    unread = ''
    stdin.write(next[1])
  })
  return { stdin, stderr }
}

export function openCommandLine(ports: Omit<CommandLinePorts, 'stdin' | 'stdout' | 'stderr'>) {
  return async (argv: readonly string[], { stdin, typed }: RunOptions = {}): Promise<Ran> => {
    const streams = typed === undefined ? { stdin: new PassThrough(), stderr: new PassThrough() } : terminal(typed)
    if (typed === undefined) streams.stdin.end(stdin ?? '')
    const stdout = new PassThrough()
    const written = { stdout: '', stderr: '' }
    stdout.on('data', (chunk: Buffer) => {
      written.stdout += chunk.toString()
    })
    streams.stderr.on('data', (chunk: Buffer) => {
      written.stderr += chunk.toString()
    })
    const code = await runCommandLine(argv, { ...ports, ...streams, stdout })
    return { code, ...written }
  }
}
