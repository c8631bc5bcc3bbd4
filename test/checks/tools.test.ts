import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plantTree, repository, runCheck } from './tree.ts'

const inOrder = { 'src/a.ts': 'export const one = 1\n' }

const fileOf = (lines: number): string =>
  Array.from({ length: lines }, (_, at) => `export const n${at} = ${at}\n`).join('')

const functionOf = (lines: number): string =>
  `export function long(): void {\n${`  process.stdout.write('')\n`.repeat(lines)}}\n`

/** Each file's source and the one fault in it. */
type Planted = Readonly<Record<string, readonly [source: string, fault: string]>>

const sources = (faulty: Planted): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(faulty).map(([file, [source]]) => [file, source]))

const planted = (faulty: Planted): readonly string[] =>
  Object.entries(faulty)
    .map(([file, [, fault]]) => `${file} ${fault}`)
    .sort()

describe('types', () => {
  const faulty = {
    'src/type.ts': ['export const one: string = 1\n', 'TS2322'],
    'src/enum.ts': ['export enum Step {\n  First,\n}\n', 'TS1294'],
    'src/index.ts': ['export const first = (of: string[]): string => of[0]\n', 'TS2322'],
    'test/any.test.ts': ['export const same = (of) => of\n', 'TS7006'],
  } as const

  it('finds nothing in a tree in order', async () => {
    expect(await runCheck('types', plantTree(inOrder))).toEqual({ faults: [], summary: '' })
  })

  it('finds what is planted, and names its place', async () => {
    const { faults } = await runCheck('types', plantTree({ ...inOrder, ...sources(faulty) }))
    const found = faults.join('\n').matchAll(/^(\S+)\(\d+,\d+\): error (TS\d+): /gm)
    expect([...found].map(([, file, code]) => `${file} ${code}`).sort()).toEqual(planted(faulty))
  })
})

describe('lint', () => {
  const faulty = {
    'src/any.ts': ['export const one = (of: any): number => of\n', 'noExplicitAny'],
    'src/floating.ts': [
      'const go = async (): Promise<void> => {}\nexport const a = (): void => {\n  go()\n}\n',
      'noFloatingPromises',
    ],
    'src/misused.ts': [
      'const is = async (): Promise<boolean> => true\nexport const a = (): number => (is() ? 1 : 2)\n',
      'noMisusedPromises',
    ],
    'src/import-type.ts': [`import { Socket } from 'node:net'\n\nexport type A = Socket\n`, 'useImportType'],
    'src/import.ts': [`import { join } from 'node:path'\n\nexport const one = 1\n`, 'noUnusedImports'],
    'src/variable.ts': ['const one = 1\nexport const two = 2\n', 'noUnusedVariables'],
    'src/built-in.ts': [
      `import { join } from 'path'\n\nexport const a = join('b')\n`,
      'useNodejsImportProtocol',
    ],
    'src/assigned.ts': [
      'export function a(b: number): number {\n  b = 2\n  return b\n}\n',
      'noParameterAssign',
    ],
    'src/default.ts': ['export default 1\n', 'noDefaultExport'],
    'src/parameters.ts': [
      'export const a = (b: 1, c: 1, d: 1, e: 1): number => b + c + d + e\n',
      'useMaxParams',
    ],
    'src/function.ts': [functionOf(41), 'noExcessiveLinesPerFunction'],
    'src/file.ts': [fileOf(301), 'noExcessiveLinesPerFile'],
    'src/order.ts': [
      `import { b } from 'b'\nimport { a } from 'a'\n\nexport const c = [a, b]\n`,
      'organizeImports',
    ],
    'src/semicolon.ts': ['export const one = 1;\n', 'format'],
    'src/quotes.ts': ['export const one = "1"\n', 'format'],
    'test/file.test.ts': [fileOf(301), 'noExcessiveLinesPerFile'],
    'test/skipped.test.ts': [`import { it } from 'vitest'\n\nit.skip('a', () => {})\n`, 'noSkippedTests'],
    'test/focused.test.ts': [`import { it } from 'vitest'\n\nit.only('a', () => {})\n`, 'noFocusedTests'],
  } as const

  it('finds nothing in a tree in order, and has read it', async () => {
    const longest = { 'src/b.ts': fileOf(300), 'src/c.ts': functionOf(40), 'test/a.test.ts': functionOf(60) }
    const verdict = await runCheck('lint', plantTree({ ...inOrder, ...longest }))
    expect(verdict).toEqual({ faults: [], summary: expect.stringMatching(/^Checked 7 files in /) })
  })

  it('finds what is planted, and names its place', async () => {
    const { faults } = await runCheck('lint', plantTree({ ...inOrder, ...sources(faulty) }))
    const found = faults
      .join('\n')
      .matchAll(/^(\w+\/[^\s:]+)(?::\d+:\d+)? (?:(?:lint|assist)\/\w+\/)?(\w+) +(?:FIXABLE +)?━/gm)
    expect([...found].map(([, file, rule]) => `${file} ${rule}`).sort()).toEqual(planted(faulty))
  })
})

describe('the run of all checks', () => {
  const run = (root: string, ...names: readonly string[]) =>
    spawnSync(process.execPath, [join(repository, 'test/checks/run.ts'), ...names], {
      cwd: root,
      encoding: 'utf8',
    })

  it('ends at the first fault, says which check found it, and fails', () => {
    const tree = plantTree({ 'src/a.ts': 'export const one: string = 1;\n' })
    const { status, stdout, stderr } = run(tree)
    expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringMatching(/^✗ types .*\n$/) })
    expect(stderr).toContain('src/a.ts(1,14): error TS2322')
  })

  it('goes through the checks in their order and succeeds', () => {
    const { status, stdout } = run(
      plantTree({
        'src/main.ts': `import 'node:fs'\n`,
        'src/features/passkeys/index.ts': 'export const name = 1\n',
        'src/features/totp/index.ts': 'export const name = 2\n',
        'views/home.eta': `<%= t('page.home') %>\n`,
        'views/messages/en/page.json': '{ "page.home": "Home" }\n',
        'test/protocol/pkce.test.ts': '',
        'docs/conformance.md': '[pkce](../test/protocol/pkce.test.ts)\n',
      }),
      '--without',
      'tests',
      'documents',
    )
    const names = ['types', 'lint', 'arrows', 'conformance', 'own words', 'messages', 'scatter']
    expect(stdout.match(/^✓ [a-z ]+?(?= {2})/gm)).toEqual(names.map((name) => `✓ ${name}`))
    expect(status).toBe(0)
  })

  it('fails when a test fails', () => {
    const tree = plantTree({ 'package.json': '{ "scripts": { "test": "exit 3" } }' })
    expect(run(tree, 'tests')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('npm test ended with 3'),
    })
  })

  it('refuses the name of a check that does not exist', () => {
    expect(run(plantTree({}), 'typos')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no check named typos'),
    })
  })
})
