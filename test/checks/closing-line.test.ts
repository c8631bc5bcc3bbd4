import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readReport } from './closing-line.ts'
import { plantTree } from './tree.ts'

const report = (counts: Readonly<Record<string, number | boolean>>): string =>
  JSON.stringify({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    success: true,
    ...counts,
  })

it.each([
  ['all passed', report({ numPassedTests: 3 }), '3 passed, 0 failed', true],
  [
    'one failed',
    report({ numPassedTests: 2, numFailedTests: 1, success: false }),
    '2 passed, 1 failed',
    false,
  ],
  [
    'some were skipped',
    report({ numPassedTests: 2, numPendingTests: 1, numTodoTests: 1 }),
    '2 passed, 0 failed, 2 skipped',
    true,
  ],
  ['a file did not load', report({ numPassedTests: 2, success: false }), '2 passed, 0 failed', false],
  ['no test ran', report({}), '0 passed, 0 failed', false],
  ['the report is half written', '{', '0 passed, 0 failed', false],
])('counts honestly when %s', (_what, text, line, holds) => {
  expect(readReport(join(plantTree({ 'report.json': text }), 'report.json'))).toEqual({ line, holds })
})

it('counts nothing when there is no report', () => {
  expect(readReport(join(plantTree({}), 'report.json'))).toEqual({ line: '0 passed, 0 failed', holds: false })
})
