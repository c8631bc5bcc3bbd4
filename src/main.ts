/** The process: hands a command line to its command, and serves where it says so. */

import type { CommandLinePorts } from './cli/index.ts'
import type { Feature } from './features/feature.ts'

// The database and its snapshots are nobody else's to read.
process.umask(0o077)

/** The server is started without the command line's parser, which it would keep in memory for nothing. */
process.exitCode = isServe(process.argv.slice(2)) ? await serveAlone() : await commandLine()

function isServe(argv: readonly string[]): boolean {
  return argv.length === 1 && argv[0] === 'serve'
}

async function serveAlone(): Promise<number> {
  const { runServer } = await import('./run.ts')
  try {
    await runServer(process.env, process.stdout)
    return 0
  } catch (error) {
    const [{ errorText }, { explained }] = await Promise.all([
      import('./cli/faults.ts'),
      import('./explain.ts'),
    ])
    process.stderr.write(errorText(explained(error) ?? error))
    return 1
  }
}

async function commandLine(): Promise<number> {
  const { runCommandLine } = await import('./cli/index.ts')
  return await runCommandLine(process.argv.slice(2), await ports())
}

async function ports(): Promise<CommandLinePorts> {
  const [{ definitions }, { explained }] = await Promise.all([
    import('./definitions.ts'),
    import('./explain.ts'),
  ])
  return {
    definitions,
    openFeatures,
    async serve() {
      const { runServer } = await import('./run.ts')
      await runServer(process.env, process.stdout)
    },
    async migrate() {
      const { migrateStorage } = await import('./storage/open.ts')
      return await migrateStorage(await storageOptions())
    },
    async migrationState() {
      const { readMigrationState } = await import('./storage/open.ts')
      return await readMigrationState(await storageOptions())
    },
    explain: explained,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
  }
}

async function storageOptions() {
  const [{ readConfig }, app] = await Promise.all([import('./config/config.ts'), import('./app.ts')])
  return app.storageOptions(readConfig(process.env))
}

/** For a command: the features over the same database as the server, with warnings alone on standard error. */
async function openFeatures(): Promise<{ readonly features: readonly Feature[]; close(): Promise<void> }> {
  const [{ readConfig }, { openApp }, { systemClock }, { commandLog }] = await Promise.all([
    import('./config/config.ts'),
    import('./app.ts'),
    import('./kernel/clock.ts'),
    import('./host/log.ts'),
  ])
  const app = await openApp({ config: readConfig(process.env), clock: systemClock, log: commandLog() })
  return { features: app.all, close: app.close }
}
