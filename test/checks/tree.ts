import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { checks } from './checks.ts'
import type { Verdict } from './verdict.ts'

/** The root of the repository. */
export const repository = join(import.meta.dirname, '../..')

const moduleType = '{\n  "private": true,\n  "type": "module"\n}\n'

/** A temporary git tree with the repository's own settings of every tool and the given files, gone after the test. */
export function plantTree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'latchkey-checks-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const file of ['.biome.jsonc', '.gitignore', 'tsconfig.json'])
    cpSync(join(repository, file), join(root, file))
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  execFileSync('git', ['init', '--quiet', '--template=', root])
  for (const [file, content] of Object.entries({ 'package.json': moduleType, ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), content)
  }
  return root
}

/** Runs one step of `npm run check` over the tree at `root`. */
export async function runCheck(name: string, root: string): Promise<Verdict> {
  const check = checks.find((each) => each.name === name)
  if (check === undefined) throw new Error(`There is no check named ${name}.`)
  return await check.run(root)
}
