import { readFileSync } from 'node:fs'

/** The part of Vitest's JSON report that is counted. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly success: boolean
}

/**
 * What a test run came to: `N passed, N failed`, with the skipped ones when there are any. It holds when the run
 * succeeded and at least one test ran; a missing or half-written report counts as no test.
 */
export function readReport(path: string): { readonly line: string; readonly holds: boolean } {
  const report = parse(path)
  if (report === undefined) return { line: '0 passed, 0 failed', holds: false }
  const skipped = report.numPendingTests + report.numTodoTests
  const counts = [`${report.numPassedTests} passed`, `${report.numFailedTests} failed`]
  return {
    line: [...counts, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', '),
    holds: report.success && report.numPassedTests > 0 && report.numFailedTests === 0,
  }
}

function parse(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const { line, holds } = readReport(process.argv[2] ?? '')
  console.log(line)
  process.exitCode = holds ? 0 : 1
}
