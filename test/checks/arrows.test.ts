import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { arrows, checkArrows } from './arrows.ts'
import { sourceFiles } from './modules.ts'
import { plantTree, repository } from './tree.ts'

/** A small house in which every row of the table has a module and every kind of allowed arrow is drawn. */
const house = {
  'src/launch.mjs': `import './main.ts'`,
  'src/main.ts': `import './app.ts'\nimport './config/config.ts'\nimport './cli/cli.ts'`,
  'src/app.ts': `import './host/host.ts'\nimport './features/users/index.ts'\nimport './storage/storage.ts'`,
  'src/config/config.ts': `import '../features/users/settings.ts'\nimport '../kernel/clock.ts'`,
  'src/host/host.ts': `import Koa from 'koa'\nimport type { Feature } from '../features/feature.ts'`,
  'src/provider/provider.ts': `import Provider from 'oidc-provider'\nimport '../storage/storage.ts'`,
  'src/pages/home.ts': `import type { Feature } from '../features/feature.ts'\nimport '../kernel/clock.ts'`,
  'src/api/api.ts': `import '../kernel/clock.ts'`,
  'src/cli/cli.ts': `import '../kernel/clock.ts'`,
  'src/features/feature.ts': `import type { Clock } from '../kernel/clock.ts'\nexport interface Feature {}`,
  'src/features/users/index.ts': `import './users.ts'\nimport './store.ts'`,
  'src/features/users/users.ts': `import type { Roles } from '../roles/index.ts'\nimport '../../kernel/clock.ts'`,
  'src/features/users/store.ts': `import { find } from '../../storage/storage.ts'`,
  'src/features/users/settings.ts': `import '../../kernel/clock.ts'`,
  'src/features/roles/index.ts': `import './roles.ts'\nexport interface Roles {}`,
  'src/features/roles/roles.ts': `export interface Role {}`,
  'src/storage/storage.ts': `import './generated/client.ts'\nimport { PrismaPg } from '@prisma/adapter-pg'`,
  'src/storage/generated/client.ts': '',
  'src/kernel/clock.ts': `import { setTimeout } from 'node:timers'\nimport type { Context } from 'koa'`,
}

const faultsWith = (planted: Readonly<Record<string, string>>): readonly string[] =>
  checkArrows(plantTree({ ...house, ...planted })).faults

describe('a house in order', () => {
  it('has no fault', () => {
    expect(checkArrows(plantTree(house))).toEqual({ faults: [], summary: '18 modules, 29 imports' })
  })

  it('is read whole, whatever a source file is called', () => {
    const planted = { 'src/kernel/deep/er/a.mts': '', 'src/kernel/b.cjs': '', 'src/kernel/c.tsx': '' }
    expect(checkArrows(plantTree({ ...house, ...planted })).summary).toBe('21 modules, 29 imports')
  })

  it('is this repository’s own, and every source file that git knows of was read', () => {
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src'], {
      cwd: repository,
      encoding: 'utf8',
    })
    const known = listed.split('\n').filter((file) => /\.(ts|mjs)$/.test(file))
    expect([...sourceFiles(repository, 'src')].sort()).toEqual(known.sort())
    expect(checkArrows(repository).summary).toMatch(`${known.length} modules, `)
  })
})

/** One forbidden import for every row: the file, what it imports, what the fault calls it. */
const forbidden: Readonly<Record<keyof typeof arrows, readonly [string, string, string]>> = {
  'launch.mjs': ['src/launch.mjs', './app.ts', 'src/app.ts'],
  'main.ts': ['src/main.ts', './features/users/index.ts', 'src/features/users/index.ts'],
  '*.ts': ['src/app.ts', './features/users/users.ts', 'src/features/users/users.ts'],
  'config/': ['src/config/a.ts', '../host/host.ts', 'src/host/host.ts'],
  'host/': ['src/host/a.ts', '../storage/storage.ts', 'src/storage/storage.ts'],
  'provider/': ['src/provider/a.ts', '../features/users/index.ts', 'src/features/users/index.ts'],
  'pages/': ['src/pages/a.ts', '../features/users/index.ts', 'src/features/users/index.ts'],
  'api/': ['src/api/a.ts', '../cli/cli.ts', 'src/cli/cli.ts'],
  'cli/': ['src/cli/a.ts', '../config/config.ts', 'src/config/config.ts'],
  'features/*.ts': ['src/features/feature.ts', './roles/index.ts', 'src/features/roles/index.ts'],
  'features/*/store.ts': [
    'src/features/roles/store.ts',
    '../../provider/provider.ts',
    'src/provider/provider.ts',
  ],
  'features/*/': ['src/features/roles/routes.ts', '../../storage/storage.ts', 'src/storage/storage.ts'],
  'storage/': ['src/storage/a.ts', '../features/roles/index.ts', 'src/features/roles/index.ts'],
  'kernel/': ['src/kernel/a.ts', '../storage/storage.ts', 'src/storage/storage.ts'],
}

describe('a forbidden arrow', () => {
  it('is planted for every row of the table', () => {
    expect(Object.keys(forbidden)).toEqual(Object.keys(arrows))
  })

  it.each(Object.entries(forbidden))('from %s is found', (_row, [file, written, target]) => {
    const faults = faultsWith({ [file]: `\nimport '${written}'\n` })
    expect(faults).toContainEqual(expect.stringContaining(`${file}:2 imports ${target}: `))
    expect(faults).toContainEqual(expect.stringContaining(' may import '))
  })

  it.each([
    [
      'the inside of a feature, as a type',
      'src/host/a.ts',
      `import type { A } from '../features/users/users.ts'`,
    ],
    [
      'the inside of a feature from another',
      'src/features/roles/a.ts',
      `import type { A } from '../users/users.ts'`,
    ],
    ['another feature as a value', 'src/features/roles/a.ts', `import { users } from '../users/index.ts'`],
    [
      'another feature with only the name marked',
      'src/features/roles/a.ts',
      `import { type A } from '../users/index.ts'`,
    ],
    ['a feature’s index from config', 'src/config/a.ts', `import '../features/users/index.ts'`],
    ['a feature’s settings from outside config', 'src/host/a.ts', `import '../features/users/settings.ts'`],
    ['a socket as a value', 'src/host/a.ts', `import { feature } from '../features/feature.ts'`],
    ['storage by a re-export', 'src/pages/a.ts', `export { find } from '../storage/storage.ts'`],
    ['storage by a re-export of all', 'src/pages/a.ts', `export * from '../storage/storage.ts'`],
    ['storage while running', 'src/pages/a.ts', `const open = () => import('../storage/storage.ts')`],
    ['storage in a type', 'src/pages/a.ts', `type Open = typeof import('../storage/storage.ts')`],
    ['storage by require', 'src/pages/a.cjs', `const open = require('../storage/storage.ts')`],
    ['a library from the kernel, as a value', 'src/kernel/a.ts', `import Koa from 'koa'`],
    ['a file outside src', 'src/host/a.ts', `import '../../test/a.ts'`],
    ['anything by a computed path', 'src/host/a.ts', `await import('../' + process.argv[2])`],
    ['a file that does not exist', 'src/host/a.ts', `import './b.ts'`],
    ['from a folder that has no row', 'src/common/a.ts', `import '../kernel/clock.ts'`],
  ])('to %s is found', (_what, file, source) => {
    const faults = faultsWith({ [file]: source, 'test/a.ts': '' })
    expect(faults).toEqual([expect.stringContaining(`${file}:1 imports `)])
  })
})

describe('what one folder keeps to itself', () => {
  it.each([
    ['oidc-provider', 'src/host/a.ts', `import Provider from 'oidc-provider'`, 'only provider/ may'],
    [
      'oidc-provider as a type',
      'src/app.ts',
      `import type { Account } from 'oidc-provider'`,
      'only provider/ may',
    ],
    ['a Prisma package', 'src/features/users/store.ts', `import '@prisma/client'`, 'only storage/ may'],
    [
      'the generated client',
      'src/features/users/store.ts',
      `import type {} from '../../storage/generated/client.ts'`,
      'only storage/',
    ],
    [
      'a library’s inside',
      'src/provider/a.ts',
      `import 'oidc-provider/lib/helpers/jwt.js'`,
      'nobody may import',
    ],
    [
      'a library’s inside by path',
      'src/provider/a.ts',
      `import '../../node_modules/oidc-provider/lib/a.js'`,
      'nobody may import',
    ],
    [
      'a library’s inside in a test',
      'test/a.test.ts',
      `import 'oidc-provider/lib/helpers/jwt.js'`,
      'nobody may import',
    ],
    [
      'a library’s inside in the bench',
      'bench/a.ts',
      `await import('oidc-provider/lib/helpers/jwt.js')`,
      'nobody may import',
    ],
  ])('%s is refused elsewhere', (_what, file, source, message) => {
    expect(faultsWith({ [file]: source })).toEqual([
      expect.stringMatching(`^${file}:1 imports .*: .*${message}`),
    ])
  })

  it('a library’s inside is open to the seam, and only what its grants are made of', () => {
    const from = 'src/provider/seam.ts'
    expect(
      faultsWith({ [from]: `export { findAccount } from 'oidc-provider/lib/helpers/grants.js'` }),
    ).toEqual([])
    expect(faultsWith({ [from]: `export * from 'oidc-provider/lib/helpers/jwt.js'` })).toEqual([
      expect.stringContaining('nobody may import'),
    ])
    expect(
      faultsWith({
        'src/provider/a.ts': `import { findAccount } from 'oidc-provider/lib/helpers/grants.js'`,
      }),
    ).toEqual([expect.stringContaining('nobody may import')])
  })

  it('oidc-provider itself is open to a bench and to tests', () => {
    expect(
      faultsWith({ 'bench/a.ts': `import 'oidc-provider'`, 'test/a.ts': `import 'oidc-provider'` }),
    ).toEqual([])
  })
})

describe('the tree as a whole', () => {
  it('finds a cycle and names its modules', () => {
    const planted = {
      'src/kernel/a.ts': `import './b.ts'`,
      'src/kernel/b.ts': `import type { A } from './a.ts'`,
    }
    expect(faultsWith(planted)).toEqual(['import cycle: src/kernel/a.ts → src/kernel/b.ts → src/kernel/a.ts'])
  })

  it('finds a file that does not parse', () => {
    expect(faultsWith({ 'src/kernel/a.ts': 'import {' })).toEqual([
      expect.stringMatching(/^src\/kernel\/a\.ts does not parse: /),
    ])
  })

  it.each([
    ['no source', {}],
    ['no import', { 'src/main.ts': 'export const a = 1' }],
  ])('is not in order when there is %s to read', (_what, files) => {
    expect(checkArrows(plantTree(files)).faults).toEqual([expect.stringContaining('nothing was checked')])
  })
})
