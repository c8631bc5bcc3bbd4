import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Verdict } from './verdict.ts'

const table = 'docs/conformance.md'
const folder = 'test/protocol'
const named = /\((?:\.\.\/)?(test\/[^\s)]+\.test\.ts)\)/g

/** The table of specifications names every test of the protocol, and no test that is not there. */
export function checkConformance(root: string): Verdict {
  const text = readFileSync(join(root, table), 'utf8')
  const told = new Set([...text.matchAll(named)].map(([, file = '']) => file))
  const there = readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`)
  return {
    faults: [
      ...(there.length === 0 ? [`${folder} holds no test, so nothing was checked`] : []),
      ...there
        .filter((file) => !told.has(file))
        .map((file) => `${file} is not named by ${table}: add it to the row of its specification`),
      ...[...told]
        .filter((file) => !existsSync(join(root, file)))
        .map((file) => `${table} names ${file}, which is not there: mend or remove the link`),
    ],
    summary: `${told.size} tests of specifications`,
  }
}
