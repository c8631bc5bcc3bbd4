import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { checkOwnWords } from './own-words.ts'
import { plantTree, repository } from './tree.ts'

const path = (...folders: readonly string[]): string => `/${folders.join('/')}`
const host = (...names: readonly string[]): string => names.join('.')

it('finds nothing where the project speaks of itself', () => {
  const root = plantTree({
    'docs/a.md': 'Put it below /app/data or /var/lib/latchkey; see https://latchkey.example/home/page.\n',
    'package-lock.json': `{ "integrity": "sha512-a${path('work', 'b')}${'TO'}${'DO'}/c" }\n`,
    Dockerfile: `WORKDIR ${path('home', 'node', 'app')}\n`,
  })
  expect(checkOwnWords(root)).toEqual({ faults: [], summary: '7 files' })
})

it.each([
  ['a home folder', 'src/a.ts', `'${path('home', 'ann', 'latchkey')}'`, 'a path of somebody’s machine'],
  ['a home folder of a Mac', 'docs/a.md', path('Users', 'ann', 'latchkey'), 'a path of somebody’s machine'],
  [
    'a home folder of Windows',
    'docs/a.md',
    ['C:', 'Users', 'ann'].join('\\'),
    'a path of somebody’s machine',
  ],
  ['a work folder', '.env.example', `A=${path('work', 'main')}`, 'a path of somebody’s machine'],
  ['a temporary folder', 'README.md', path('tmp', 'try', 'a'), 'a path of somebody’s machine'],
  ['a registry', 'README.md', `from ${host('registry', 'npmjs', 'org')}`, 'the host of a package registry'],
  ['a mirror', 'Dockerfile', `${'https'}://${host('nexus', 'corp')}/npm`, 'the host of a package registry'],
  ['a chosen registry', '.npmrc', 'registry=x', 'the choice of a package registry'],
  ['where a package came from', 'package-lock.json', `"${'resolved'}": "x"`, 'where a package was fetched'],
  ['a promise', 'src/a.ts', `// ${'TO'}${'DO'}: later`, 'a promise instead of the work'],
  ['a request', 'src/a.ts', `// ${'FIX'}${'ME'}`, 'a promise instead of the work'],
])('finds %s, and where it is', (_what, file, text, what) => {
  expect(checkOwnWords(plantTree({ [file]: `\n${text}\n` })).faults).toEqual([
    `${file}:2 holds ${what}: ${text}`,
  ])
})

it('finds the folder of the checkout itself, wherever it is', () => {
  const root = plantTree({})
  execFileSync('cp', ['.gitignore', 'a.md'], { cwd: root })
  execFileSync('sh', ['-c', 'pwd -P > b.md'], { cwd: root })
  expect(checkOwnWords(root).faults).toContainEqual(
    expect.stringMatching(/^b\.md:1 holds a path of this machine: /),
  )
})

it('reads what git tracks or would track, and leaves out what it ignores', () => {
  const root = plantTree({
    '.gitignore': 'ignored/\nnode_modules\n',
    'ignored/a.md': `${'TO'}${'DO'}`,
    'seen.md': `${'TO'}${'DO'}`,
  })
  expect(checkOwnWords(root).faults).toEqual([expect.stringMatching(/^seen\.md:1 /)])
})

it('reads every file of this repository', () => {
  const tracked = execFileSync('git', ['ls-files'], { cwd: repository, encoding: 'utf8' }).trim().split('\n')
  expect(Number.parseInt(checkOwnWords(repository).summary, 10)).toBeGreaterThanOrEqual(tracked.length)
})
