/** What a peer is tried on: a running Latchkey with one person, and the ways to register and to sign in. */
import { spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { approve } from '../../test/support/devices.ts'
import { walkThrough } from '../../test/support/relying-party.ts'
import type { Page, Visitor } from '../../test/support/visitor.ts'
import { freePort, runToEnd, serve } from '../child.ts'
import type { Cleanup } from '../cleanup.ts'
import type { Credentials } from '../target.ts'

export const launcher = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))
const answerLimitMs = 60_000

export const person = { email: 'ada@example.com', password: 'correct horse battery staple' }

export interface Ground {
  readonly issuer: string
  /** Empty at first; removed at the end. */
  readonly folder: string
  /** A `latchkey` command against the running server's database; returns what it printed. */
  latchkey(...args: readonly string[]): Promise<string>
  /** `latchkey clients create` with these flags. A client that keeps no secret has an empty one. */
  createClient(...flags: readonly string[]): Promise<Credentials>
  /** Starts a program of the peer's, which ends with the run; its output goes to the file that is named. */
  start(program: string, args: readonly string[], options?: StartOptions): Started
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface Started {
  /** Everything that it has printed. */
  output(): string
  /** Resolves once it answers HTTP there. @throws with its output when it ends before, or takes more than a minute */
  answers(url: string): Promise<void>
  stop(): void
  /** Resolves with its exit code. */
  readonly ended: Promise<number>
}

/** What a peer throws who is not on this machine. The message says what is missing. */
export class NotHere extends Error {}

const created = z.object({
  item: z.object({ id: z.string() }),
  reveals: z.object({ secret: z.string() }).optional(),
})

/** Starts Latchkey as its users do, on a fresh SQLite database. */
export async function openGround(cleanup: Cleanup): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-interop-'))
  cleanup.onExit(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const env = {
    PORT: String(port),
    LATCHKEY_ISSUER: issuer,
    LATCHKEY_DATA_FOLDER: `${folder}/data`,
    LATCHKEY_KEY_FOLDER: `${folder}/keys`,
    // Applications that are told of a logout run on this machine, too.
    LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true',
  }
  const logFile = `${folder}/latchkey.log`
  const served = await serve({ args: [launcher, 'serve'], issuer, env, logFile, cleanup })
  cleanup.onEnd(served.stop)
  const run = (args: readonly string[], input?: string) =>
    runToEnd({ args: [launcher, ...args], env, input, cleanup })
  await run(['setup', 'administrator', '--email', person.email, '--name', 'Ada'], `${person.password}\n`)
  return {
    issuer,
    folder,
    latchkey: (...args) => run(args),
    createClient: creating(run),
    start: (program, args, options) => start({ program, args, cleanup, folder }, options),
  }
}

/** `latchkey clients create` by a command that runs `latchkey`. */
export const creating =
  (run: (args: readonly string[]) => Promise<string>): Ground['createClient'] =>
  async (...flags) => {
    const { item, reveals } = created.parse(JSON.parse(await run(['clients', 'create', '--json', ...flags])))
    return { id: item.id, secret: reveals?.secret ?? '' }
  }

interface Program {
  readonly program: string
  readonly args: readonly string[]
  readonly cleanup: Cleanup
  readonly folder: string
}

function start({ program, args, cleanup, folder }: Program, { env, cwd }: StartOptions = {}): Started {
  const file = join(folder, `${program.split('/').at(-1)}-${performance.now()}.log`)
  const log = openSync(file, 'a')
  const child = spawn(program, [...args], {
    cwd: cwd ?? folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  })
  child.on('error', () => undefined)
  const forget = cleanup.onExit(() => child.kill('SIGKILL'))
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code) => {
      forget()
      resolve(code ?? -1)
    })
  })
  const output = () => readFileSync(file, 'utf8')
  const over = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  return {
    output,
    ended,
    stop: () => child.kill('SIGKILL'),
    async answers(url) {
      const limit = performance.now() + answerLimitMs
      while (performance.now() < limit && !over()) {
        if (await fetch(url, { redirect: 'manual' }).then(drained, () => false)) return
        await pause(50)
      }
      throw new Error(`${program} does not answer at ${url}: ${output().slice(-2000)}`)
    },
  }
}

async function drained(response: Response): Promise<boolean> {
  await response.arrayBuffer()
  return true
}

/** From the peer's redirect through the issuer's pages and back, to where the peer then leads. */
export async function throughIssuer(visitor: Visitor, page: Page): Promise<Page> {
  if (page.location === undefined)
    throw new Error(`No redirect at ${page.url} (${page.status}): ${page.text.slice(0, 300)}`)
  const back = await walkThrough(visitor, page.location, person)
  return await visitor.follow(await visitor.get(back))
}

/** The person opens the link with the code that a device shows, signs in and allows what it asks for. */
export async function allowDevice(visitor: Visitor, issuer: string, code: string): Promise<void> {
  const asked = { verification_uri_complete: `${issuer}/device?user_code=${code}` }
  const page = await approve(visitor, asked, person)
  if (page.status !== 200) throw new Error(`${page.url} answered ${page.status}: ${page.text.slice(0, 300)}`)
}

/** Signs out at the issuer, to which `page` leads; the address to which that leads. */
export async function leaveIssuer(visitor: Visitor, page: Page): Promise<string | undefined> {
  const asked = await visitor.follow(await visitor.get(page.location ?? ''))
  const left = asked.location === undefined ? await visitor.follow(await visitor.submit(asked)) : asked
  return left.location
}

/** @throws when they are not the same */
export function same(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`)
}
