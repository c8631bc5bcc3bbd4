/**
 * What all test files share, made once per run and removed after it: the run's folder, and a PostgreSQL server
 * when a project of this run is on PostgreSQL. Set LATCHKEY_TEST_POSTGRESQL_URL to the URL of a maintenance
 * database, of a role that may create databases, to use a server of your own instead.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { scratchFolder, temporaryFolder } from './machine.ts'
import { startPostgres } from './postgres.ts'
import { dropDatabasesOn } from './postgres-databases.ts'
import type { Shared } from './shared.ts'

const openServer = async (prefix: string): Promise<{ url: string; close(): Promise<void> }> => {
  const url = process.env.LATCHKEY_TEST_POSTGRESQL_URL
  return url === undefined ? startPostgres() : { url, close: () => dropDatabasesOn(url, prefix) }
}

const isRunning = (processId: number): boolean => {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A run that was killed could not remove its folders; the next one does. */
const sweep = async (): Promise<void> => {
  for (const folder of new Set([scratchFolder(), temporaryFolder()])) {
    for (const name of await readdir(folder)) {
      const owner = /^latchkey-(?:test|browser|postgresql)-(\d+)-/.exec(name)?.[1]
      if (owner === undefined || isRunning(Number(owner))) continue
      // What another account left is not ours to remove.
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined)
    }
  }
}

export const setup = async (root: TestProject): Promise<() => Promise<void>> => {
  const needsPostgres = root.vitest.projects.some(
    (project) => project.config.provide.database === 'postgresql',
  )
  await sweep()
  const folder = await mkdtemp(join(scratchFolder(), `latchkey-test-${process.pid}-`))
  const prefix = `latchkey_test_${randomBytes(4).toString('hex')}`
  const server = needsPostgres ? await openServer(prefix) : undefined
  root.provide('shared', { folder, prefix, postgresUrl: server?.url } satisfies Shared)
  return async () => {
    await rm(folder, { recursive: true, force: true })
    await server?.close()
  }
}
