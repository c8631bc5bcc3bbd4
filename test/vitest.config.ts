/**
 * The suite: `vitest run --config test/vitest.config.ts`. Files that touch a database run twice, on SQLite and
 * on PostgreSQL; `--project sqlite` or a path narrows a run.
 *
 * Files share a worker without isolation: the code under test keeps no state in modules, and loading it anew
 * for each file would cost more than the tests.
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import type { DatabaseKind } from './support/shared.ts'

const onDatabase = ['features', 'protocol', 'storage', 'host', 'cli'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
)
const inBrowser = ['test/browser/**/*.test.ts']
/** How pages look and are used, which no database changes, and journeys that the whole journey walks on both. */
const once = [
  'accessibility',
  'account',
  'by-other-means',
  'device',
  'email-codes',
  'email-codes-addresses',
  'front-channel-logout',
  'inbox',
  'pages',
  'passkeys',
  'register',
  'reset-password',
  'sample-application',
  'totp',
  'weight',
].map((name) => `test/browser/${name}.test.ts`)
const withoutDatabase = ['unit', 'kernel', 'config', 'checks'].map((folder) => `test/${folder}/**/*.test.ts`)

const root = fileURLToPath(new URL('..', import.meta.url))

const running = {
  environment: 'node',
  pool: 'forks',
  isolate: false,
  maxWorkers: Math.min(4, Math.max(2, availableParallelism())),
  testTimeout: 30_000,
  hookTimeout: 60_000,
} satisfies TestProjectInlineConfiguration['test']

const project = (
  name: string,
  database: DatabaseKind,
  include: string[],
  exclude: string[] = [],
): TestProjectInlineConfiguration => ({
  root,
  test: { name, include, exclude, provide: { database }, ...running },
})

export default defineConfig({
  root,
  test: {
    ...running,
    // Here and not in the projects: it runs once for all of them.
    globalSetup: 'test/support/global-setup.ts',
    projects: [
      project('unit', 'sqlite', withoutDatabase),
      project('sqlite', 'sqlite', onDatabase),
      project('postgresql', 'postgresql', onDatabase),
      project('browser', 'sqlite', inBrowser),
      project('browser-postgresql', 'postgresql', inBrowser, once),
    ],
  },
})
