/**
 * Later versions of the product, as far as storage goes: a copy of it with migrations of their own, run in processes.
 *
 *     await using later = await openVersion({ '29990101000000_later': { sqlite: '…', postgresql: '…' } })
 *     await later.run({ databaseUrl: database.url, command: 'migrate' })
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Account, temporaryFolder } from './machine.ts'
import type { DatabaseKind } from './shared.ts'

export type Migrations = Readonly<Record<string, Readonly<Record<DatabaseKind, string>>>>

export interface Order {
  readonly databaseUrl?: string
  readonly dataFolder?: string
  /** `open` opens the storage as the server does and closes it. */
  readonly command: 'migrate' | 'state' | 'open'
  readonly account?: Account | undefined
}

/** What the command gave: names of applied and pending migrations, or the error it threw. */
export interface Result {
  readonly applied?: readonly string[]
  readonly pending?: readonly string[]
  readonly error?: { readonly code?: string; readonly message: string }
}

export interface Version extends AsyncDisposable {
  start(order: Order): ChildProcess
  run(order: Order): Promise<Result>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

const script = `
import { migrateStorage, openStorage, readMigrationState } from './src/storage/open.ts'
const { command, databaseUrl, dataFolder = '' } = JSON.parse(process.argv[2])
const options = { databaseUrl, dataFolder, synchronous: 'NORMAL', poolSize: 2, timeoutMilliseconds: 20_000 }
const commands = {
  migrate: async () => ({ applied: await migrateStorage(options) }),
  open: async () => ((await openStorage(options)).close(), {}),
  state: async () => {
    const { applied, pending } = await readMigrationState(options)
    return { applied, pending: pending.map(({ name }) => name) }
  },
}
const result = await commands[command]().catch(({ code, message }) => ({ error: { code, message } }))
process.stdout.write(JSON.stringify(result))
`

/** The present version and, after its migrations, those given. */
export const openVersion = async (migrations: Migrations = {}): Promise<Version> => {
  const folder = await mkdtemp(join(temporaryFolder(), `latchkey-test-${process.pid}-`))
  for (const part of ['src/storage', 'src/kernel', 'prisma', 'package.json']) {
    await cp(join(root, part), join(folder, part), { recursive: true })
  }
  await chmod(folder, 0o755)
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const [name, scripts] of Object.entries(migrations)) {
    for (const [kind, sql] of Object.entries(scripts)) {
      const migration = join(folder, 'prisma', kind, 'migrations', name)
      await mkdir(migration)
      await writeFile(join(migration, 'migration.sql'), sql)
    }
  }
  await writeFile(join(folder, 'run.ts'), script)

  const start = ({ account, ...order }: Order): ChildProcess =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'run.ts', JSON.stringify(order)], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      ...account,
    })
  return {
    start,
    async run(order) {
      const child = start(order)
      const gone = once(child, 'exit')
      const output = child.stdout === null ? '' : await text(child.stdout)
      await gone
      if (output === '')
        throw new Error(`The process ended (${child.exitCode ?? child.signalCode}) and said nothing.`)
      return JSON.parse(output) as Result
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
