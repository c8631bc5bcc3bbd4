/** The command as people run it: the launcher in a process of its own, over a database of the project's kind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { migrated } from '../support/storage.ts'

const launcher = join(import.meta.dirname, '../../src/launch.mjs')

let database: TestDatabase
let folder: string

beforeAll(async () => {
  database = await createDatabase(migrated)
  folder = await mkdtemp(join(tmpdir(), 'latchkey-process-'))
})
afterAll(async () => {
  await database.drop()
  await rm(folder, { recursive: true })
})

interface Running {
  readonly databaseUrl?: string
  readonly stdin?: string
}

async function latchkey(argv: readonly string[], { databaseUrl = database.url, stdin = '' }: Running = {}) {
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: databaseUrl,
    LATCHKEY_DATA_FOLDER: folder,
    LATCHKEY_KEY_FOLDER: folder,
  }
  const child = spawn(process.execPath, [launcher, ...argv], { env })
  child.stdin.end(stdin)
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code: code as number, stdout, stderr }
}

describe('latchkey, in a process of its own', () => {
  it('explains itself without a database', async () => {
    const { code, stdout } = await latchkey(['--help'], { databaseUrl: 'nonsense' })
    expect(code).toBe(0)
    for (const word of ['serve', 'setup', 'migrate', 'users', 'clients', 'resources', 'keys']) {
      expect(stdout).toMatch(new RegExp(`^ +${word} `, 'm'))
    }
  })

  it('creates the first administrator with a password from standard input, and a client', async () => {
    const password = 'a long enough phrase for this'
    const made = await latchkey(['setup', 'administrator', '--email', 'ada@example.test', '--json'], {
      stdin: `${password}\n`,
    })
    expect(made.code).toBe(0)
    expect(JSON.parse(made.stdout)).toMatchObject({ email: 'ada@example.test' })
    expect(made.stdout + made.stderr).not.toContain(password)
    const create = ['clients', 'create', '--kind', 'service', '--name', 'Billing', '--json']
    const { item, reveals } = JSON.parse((await latchkey(create)).stdout)
    const listed = await latchkey(['clients', 'list', '--json'])
    expect(JSON.parse(listed.stdout).items).toEqual([item])
    expect(listed.stdout).not.toContain(reveals.secret)
  })

  it('says what to do, with its exit code, when the database cannot be used', async () => {
    const { code, stdout, stderr } = await latchkey(['clients', 'list'], {
      databaseUrl: 'postgresql://nobody@127.0.0.1:1/none',
    })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error: The database does not answer\. Check DATABASE_URL/m)
    expect(stderr).not.toMatch(/^ +at /m)
    expect((await latchkey(['clients', 'lst'])).code).toBe(2)
  })
})
