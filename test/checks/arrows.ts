import { type Import, type Module, readModule, sourceFiles } from './modules.ts'
import type { Verdict } from './verdict.ts'

const packages = ['node:', 'npm:'] as const
const sockets = 'type features/feature.ts'

/**
 * Who may import what besides its own folder: the first row that fits a module is its row. Paths are below `src/`,
 * `*` is one folder or file, a trailing `/` or `:` is everything below, and `type` allows the types alone.
 */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  'launch.mjs': ['node:', 'main.ts'],
  'main.ts': [...packages, '*.ts', 'config/', 'cli/', 'host/', sockets, 'storage/', 'kernel/'],
  // The composition root in its parts: what is opened, how it is served, how the process runs, what is known beforehand.
  '*.ts': [
    ...packages,
    '*.ts',
    'config/',
    'host/',
    'provider/',
    'pages/',
    'api/',
    'cli/',
    sockets,
    'features/*/index.ts',
    'storage/',
    'kernel/',
  ],
  'config/': [...packages, 'kernel/', '*/settings.ts', 'features/*/settings.ts'],
  'host/': [...packages, 'kernel/', sockets],
  'provider/': [...packages, 'kernel/', 'storage/', sockets],
  'pages/': [...packages, 'kernel/', sockets, 'views/', 'type provider/index.ts'],
  'api/': [...packages, 'kernel/', sockets],
  'cli/': [...packages, 'kernel/', sockets],
  // The sockets, in the parts that `feature.ts` hands out together.
  'features/*.ts': ['type npm:', 'type kernel/', 'type storage/storage.ts', 'type features/*.ts'],
  'features/*/store.ts': [...packages, 'kernel/', 'storage/', sockets, 'type features/*/index.ts'],
  'features/*/': [...packages, 'kernel/', sockets, 'type features/*/index.ts', 'type storage/storage.ts'],
  'storage/': [...packages, 'kernel/'],
  'kernel/': ['node:', 'npm:zod', 'type npm:'],
}

/** What one folder keeps to itself, whatever its row above says; the first row that fits a target is its row. */
export const reserved: Readonly<Record<string, readonly string[]>> = {
  'npm:oidc-provider/': [],
  'npm:oidc-provider': ['provider/'],
  'npm:@prisma/': ['storage/'],
  'npm:prisma': ['storage/'],
  'npm:prisma/': ['storage/'],
  'storage/generated/': ['storage/'],
  // The one way out, which is guarded.
  'npm:undici': ['provider/outbound.ts'],
}

/** Folders that have no row but may not reach what nobody may. */
const otherFolders = ['test', 'bench', 'examples', 'prisma']

const fits = (pattern: string, name: string): boolean => {
  const body = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]+')
  return new RegExp(/[/:]$/.test(pattern) ? `^${body}` : `^${body}$`).test(name)
}

const rowOf = (table: typeof arrows, name: string): readonly string[] | undefined =>
  Object.entries(table).find(([pattern]) => fits(pattern, name))?.[1]

/** The folder within which a module imports freely: one capability, one part of the house, or the file itself. */
const homeOf = (name: string): string => /^(features\/[^/]+(\/|$)|[^/]+(\/|$))/.exec(name)?.[0] ?? name

const below = (path: string): string => path.replace(/^src\//, '')

/** The one file that reaches inside a library, and what it may reach there. */
const seam = { from: 'src/provider/seam.ts', target: 'npm:oidc-provider/lib/helpers/grants.js' } as const

function faultOf(from: string, each: Import): string | undefined {
  if (from === seam.from && each.target === seam.target) return undefined
  const keepers = rowOf(reserved, below(each.target ?? ''))
  if (keepers?.length === 0) return 'it is the inside of a package, which nobody may import'
  return from.startsWith('src/') ? faultInside(below(from), each, keepers) : undefined
}

function faultInside(from: string, each: Import, keepers: readonly string[] | undefined): string | undefined {
  if (each.target === undefined) return 'only a relative path or the name of a package can be checked'
  if (!each.found) return 'there is no such file'
  const name = below(each.target)
  const keeps = (keeper: string): boolean => fits(keeper, from)
  if (keepers && !keepers.some(keeps)) return `only ${keepers.join(', ')} may`
  if (homeOf(name) === homeOf(from) || name === 'package.json') return undefined
  const row = rowOf(arrows, from)
  if (row === undefined) return 'this file has no row in the table of arrows'
  const allows = (entry: string): boolean =>
    entry.startsWith('type ') ? each.typeOnly && fits(entry.slice('type '.length), name) : fits(entry, name)
  return row.some(allows) ? undefined : `${homeOf(from)} may import ${row.join(', ')}`
}

/** Every import cycle's modules, each cycle once, found by depth-first search. */
function cyclesIn(modules: readonly Module[]): readonly (readonly string[])[] {
  const targets = new Map(modules.map(({ path, imports }) => [path, imports.map(({ target }) => target)]))
  const finished = new Set<string>()
  const cycles: string[][] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path])
    if (finished.has(path) || trail.includes(path)) return
    for (const target of targets.get(path) ?? []) {
      if (target && targets.has(target)) visit(target, [...trail, path])
    }
    finished.add(path)
  }
  for (const { path } of modules) visit(path, [])
  return cycles
}

/** Checks every arrow of the tree at `root`; a tree in which nothing was read is a fault too. */
export function checkArrows(root: string): Verdict {
  const source = sourceFiles(root, 'src').map((path) => readModule(root, path))
  const others = otherFolders
    .flatMap((folder) => sourceFiles(root, folder))
    .map((path) => readModule(root, path))
  const imports = source.flatMap((module) => module.imports)
  const faults = [...source, ...others].flatMap((module) => [
    ...module.errors.map((error) => `${module.path} does not parse: ${error}`),
    ...module.imports.flatMap((each) => {
      const fault = faultOf(module.path, each)
      return fault ? [`${module.path}:${each.line} imports ${each.target ?? each.written}: ${fault}`] : []
    }),
  ])
  const cycles = cyclesIn(source).map((cycle) => `import cycle: ${cycle.join(' → ')}`)
  const unread = imports.length === 0 ? ['no import was read below src/, so nothing was checked'] : []
  return {
    faults: [...unread, ...faults, ...cycles],
    summary: `${source.length} modules, ${imports.length} imports`,
  }
}
