/**
 * The command line in this process, over features that are opened anew for each run as a process would.
 *
 *     await using cli = await openTestCommandLine()
 *     const { code, stdout } = await cli.latchkey(['clients', 'list', '--json'])
 */
import { PassThrough } from 'node:stream'
import { expect } from 'vitest'
import { z } from 'zod'
import { type CommandLinePorts, runCommandLine } from '../../src/cli/index.ts'
import { clientsDefinition } from '../../src/features/clients/index.ts'
import type { Command } from '../../src/features/feature.ts'
import { resourcesDefinition } from '../../src/features/resources/index.ts'
import { openParties, partiesOn } from './parties.ts'

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

export type Ports = Omit<CommandLinePorts, 'stdin' | 'stdout' | 'stderr'>

export function openCommandLine(ports: Ports) {
  return async (argv: readonly string[], { stdin, typed }: RunOptions = {}): Promise<Ran> => {
    const streams =
      typed === undefined ? { stdin: new PassThrough(), stderr: new PassThrough() } : terminal(typed)
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

/** A feature's own verb, with a value that must not be an argument. */
const unlock: Command = {
  words: ['vault', 'unlock'],
  documentation: 'Unlock the vault.',
  input: {
    passphrase: {
      schema: z.string().min(3, 'must have at least 3 characters'),
      documentation: 'The passphrase.',
      fromStandardInput: true,
    },
    rounds: { schema: z.int().default(1), documentation: 'How often.', optional: true },
  },
  run: async (input) => ({ text: `unlocked ${String(input.rounds)} times`, json: input }),
}
const vault = { name: 'vault', documentation: 'The vault.', commands: [unlock] }

export const definitions = [clientsDefinition, resourcesDefinition, vault]

/** Of a command line that must not ask the database. */
export const closedPorts: Ports = {
  definitions,
  openFeatures: () => Promise.reject(new Error('the database was opened')),
  serve: async () => undefined,
  migrate: async () => ['1_initial'],
  migrationState: async () => ({ applied: ['1_initial'], pending: [{ name: '2_next' }] }),
}

/** Clients, resources and a vault, on a database of their own. */
export async function openTestCommandLine() {
  const parties = await openParties()
  let open = 0
  const latchkey = openCommandLine({
    ...closedPorts,
    async openFeatures() {
      const storage = await parties.storage.openAnother()
      const { clients, resources } = partiesOn(storage)
      open += 1
      return {
        features: [clients, resources, vault],
        // The storage itself is closed with the database that it is another view of.
        async close() {
          open -= 1
        },
      }
    },
  })
  return {
    latchkey,
    storage: parties.storage,
    /** The answer for a program, of a run that has to succeed. */
    async json(argv: readonly string[]) {
      const ran = await latchkey([...argv, '--json'])
      expect(ran).toMatchObject({ code: 0, stderr: '' })
      return JSON.parse(ran.stdout)
    },
    async [Symbol.asyncDispose]() {
      await parties[Symbol.asyncDispose]()
      expect(open).toBe(0)
    },
  }
}

export type TestCommandLine = Awaited<ReturnType<typeof openTestCommandLine>>
