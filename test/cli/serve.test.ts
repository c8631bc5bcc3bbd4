/** `latchkey serve` as people run it: the launcher in a process of its own, over a database of the project's kind. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { freePort } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const launcher = join(import.meta.dirname, '../../src/launch.mjs')

type Environment = Readonly<Record<string, string>>

/** An empty database, folders and ports: what a machine has before the first start. */
async function openMachine() {
  const database = await createDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-serve-'))
  const [port, samplePort] = [await freePort(), await freePort()]
  const environment = {
    PATH: process.env.PATH ?? '',
    DATABASE_URL: database.url,
    LATCHKEY_DATA_FOLDER: join(folder, 'data'),
    LATCHKEY_KEY_FOLDER: join(folder, 'keys'),
    PORT: String(port),
    LATCHKEY_SAMPLE_PORT: String(samplePort),
  }
  const started: ChildProcessWithoutNullStreams[] = []
  const start = (argv: readonly string[], more: Environment) => {
    const child = spawn(process.execPath, [launcher, ...argv], { env: { ...environment, ...more } })
    started.push(child)
    return child
  }

  return {
    port,
    issuer: `http://localhost:${port}`,
    sample: `http://localhost:${samplePort}/`,
    /** Runs to its end. */
    async run(argv: readonly string[], more: Environment = {}, stdin = '') {
      const child = start(argv, more)
      child.stdin.end(stdin)
      const [[code], stdout, stderr] = await Promise.all([
        once(child, 'close'),
        text(child.stdout),
        text(child.stderr),
      ])
      return { code: code as number, stdout, stderr }
    },
    /** Resolves with the greeting. */
    serve: (more: Environment = {}) => greeted(start(['serve'], more)),
    async [Symbol.asyncDispose]() {
      for (const child of started) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      }
      await database.drop()
      await rm(folder, { recursive: true })
    },
  }
}

async function greeted(child: ChildProcessWithoutNullStreams) {
  let said = ''
  let complaint = ''
  const ended = once(child, 'close')
  const greeting = Promise.withResolvers<string>()
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaint += chunk
  })
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
    const [whole] = /^Latchkey .*\n\n(?: .*\n)+\n/m.exec(said) ?? []
    if (whole !== undefined) greeting.resolve(whole)
  })
  ended.then(() => greeting.reject(new Error(`It ended before it served:\n${said}${complaint}`)))
  return {
    greeting: await greeting.promise,
    /** What it has written to standard output so far, greeting included. */
    said: () => said,
    /** Resolves with the exit code when it and everything it started has let go of the output. */
    async end(signal: NodeJS.Signals) {
      child.kill(signal)
      const [code] = await ended
      return { code: code as number | null, stderr: complaint }
    },
  }
}

type Machine = Awaited<ReturnType<typeof openMachine>>
type Serving = Awaited<ReturnType<Machine['serve']>>

const setupLink = (greeting: string): string | undefined => /^ +Set up +(\S+)$/m.exec(greeting)?.[1]
const refused = { cause: { code: 'ECONNREFUSED' } }

describe('the first start, without settings', () => {
  let machine: Machine
  let serving: Serving

  beforeAll(async () => {
    machine = await openMachine()
    serving = await machine.serve()
  })
  afterAll(async () => machine[Symbol.asyncDispose]())

  it('says where it is, and that it is for this machine only', () => {
    expect(serving.greeting).toContain('in development mode, for this machine only')
    expect(serving.greeting).toMatch(new RegExp(`^ +Sign in +${machine.issuer}/$`, 'm'))
    expect(serving.greeting).toMatch(new RegExp(`^ +Sample app +${machine.sample}$`, 'm'))
  })

  it('gives a link that opens the form of the first administrator, however often it is looked at', async () => {
    const link = setupLink(serving.greeting) ?? ''
    expect(link.startsWith(`${machine.issuer}/setup?token=`)).toBe(true)
    for (const visitor of [newVisitor(), newVisitor()]) {
      const form = await visitor.get(link)
      expect(form.status).toBe(200)
      expect(form.text).toContain('name="password"')
    }
  })

  it('has a sample application whose sign-in leads to Latchkey', async () => {
    const visitor = newVisitor()
    const page = await visitor.get(machine.sample)
    expect(page.status).toBe(200)
    expect(page.text).toMatch(/href="\/?sign-in"/)
    const { location = '' } = await visitor.get(`${machine.sample}sign-in`)
    const asked = new URL(location)
    expect(asked.origin + asked.pathname).toBe(`${machine.issuer}/auth`)
    expect(asked.searchParams.get('client_id')).toBe('sample-application')
    const form = await visitor.follow(await visitor.get(location))
    expect(form.url.startsWith(`${machine.issuer}/`)).toBe(true)
    expect(form.text).toContain('name="identifier"')
  })

  it('refuses a second server on its port, which it names, and goes on', async () => {
    const { code, stdout, stderr } = await machine.run(['serve'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^error: .*port ${machine.port}\\b.*PORT=${machine.port + 1}`))
    expect((await fetch(`${machine.issuer}/health/ready`)).status).toBe(200)
    expect((await fetch(machine.sample)).status).toBe(200)
  })

  it.each([
    ['PORT', 'eighty'],
    ['LATCHKEY_SAMPLE_PORT', '70000'],
    ['LATCHKEY_LOG_LEVEL', 'loud'],
    ['LATCHKEY_ISSUER', 'http://id.example.test'],
    ['DATABASE_URL', 'mysql://localhost/latchkey'],
  ])('refuses a second server with a wrong %s, which it names', async (name, value) => {
    const { code, stdout, stderr } = await machine.run(['serve'], { [name]: value })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^error: .*\\b${name}\\b`, 'm'))
    expect(stderr).not.toMatch(/^ +at /m)
  })

  it('logs JSON into a pipe, line by line and without the link', async () => {
    const path = '/nothing-is-here'
    await fetch(`${machine.issuer}${path}`)
    await vi.waitFor(() => expect(serving.said()).toContain(path), { timeout: 10_000, interval: 50 })
    const lines = serving.said().replace(`\n${serving.greeting}`, '').trim().split('\n')
    const logged = lines.map((line) => JSON.parse(line) as unknown)
    expect(logged).toContainEqual(
      expect.objectContaining({ msg: 'listening', port: machine.port, issuer: machine.issuer }),
    )
    const token = new URL(setupLink(serving.greeting) ?? '').searchParams.get('token') ?? ''
    expect(token).not.toBe('')
    expect(lines.join('\n')).not.toContain(token)
  })
})

describe('a server that has run', () => {
  it('ends with 0 at SIGTERM and takes the sample application along', async () => {
    await using machine = await openMachine()
    const serving = await machine.serve()
    expect((await fetch(machine.sample)).status).toBe(200)
    expect(await serving.end('SIGTERM')).toEqual({ code: 0, stderr: '' })
    await expect(fetch(machine.sample)).rejects.toMatchObject(refused)
    await expect(fetch(machine.issuer)).rejects.toMatchObject(refused)
  })

  it('leaves no sample application behind when it is killed', async () => {
    await using machine = await openMachine()
    const serving = await machine.serve()
    await serving.end('SIGKILL')
    await expect(fetch(machine.sample)).rejects.toMatchObject(refused)
  })

  it('gives no set-up link once there is an administrator, and in production has no sample application', async () => {
    await using machine = await openMachine()
    const first = await machine.serve()
    expect(setupLink(first.greeting)).toBeDefined()
    expect((await first.end('SIGTERM')).code).toBe(0)
    const listed = async (more: Environment = {}): Promise<readonly string[]> => {
      const { stdout } = await machine.run(['clients', 'list', '--json'], more)
      const { items } = JSON.parse(stdout) as { readonly items: readonly { readonly id: string }[] }
      return items.map(({ id }) => id)
    }
    expect(await listed()).toContain('sample-application')
    const administrator = ['setup', 'administrator', '--email', 'ada@example.test']
    expect((await machine.run(administrator, {}, 'seven purple umbrellas\n')).code).toBe(0)

    const second = await machine.serve()
    expect(setupLink(second.greeting)).toBeUndefined()
    expect(second.greeting).not.toContain('/setup')
    expect((await fetch(machine.sample)).status).toBe(200)
    expect((await second.end('SIGTERM')).code).toBe(0)

    const production = {
      LATCHKEY_ISSUER: 'https://id.example.test',
      LATCHKEY_LISTEN_ADDRESS: 'localhost',
    }
    const third = await machine.serve(production)
    expect(third.greeting).toContain('Latchkey is ready')
    expect(third.greeting).toMatch(/^ +Sign in +https:\/\/id\.example\.test\/$/m)
    expect(third.greeting).not.toContain('Sample app')
    await expect(fetch(machine.sample)).rejects.toMatchObject(refused)
    expect(await listed(production)).not.toContain('sample-application')
    expect((await third.end('SIGTERM')).code).toBe(0)
  })
})
