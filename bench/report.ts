import type { Ratio, Results, Row } from './results.ts'
import { median } from './statistics.ts'

const goals = { restMb: 120, coldStartMs: 1500, stormRatio: 3 }

const notesOf = (
  reference: string,
): string => `Medians of the rounds. "rps ratio" and "CPU ratio": to ${reference}, round by round.
CPU µs: of the server process, for each request. others: cores busy with neither server nor generator, so the
database server, or work that disturbs the figures. Goals are for the rps ratio.`

/** The results as text for a terminal. */
export function report(results: Results, reference = 'the bare provider'): string {
  return [
    Object.entries({ ...results.machine, ...results.options })
      .map(([name, value]) => `${name}: ${value}`)
      .join('   '),
    ...(results.rows.length > 0 ? [table(scenarioRows(results))] : []),
    ...(results.storms.length > 0
      ? ['JWT client credentials beside sign-ins', table(stormRows(results))]
      : []),
    table(processRows(results)),
    notesOf(reference),
    ...results.remarks.map((remark) => `! ${remark}`),
  ].join('\n\n')
}

function scenarioRows({ rows, judged }: Results): string[][] {
  const head = [
    'scenario',
    'server',
    'rps',
    'p50 ms',
    'p99 ms',
    'CPU µs',
    'RSS MB',
    'others',
    'rps ratio',
    'of rounds',
    'CPU ratio',
    'goal',
    '',
  ]
  return [
    head,
    ...rows.map(({ scenario, contender, figures, rpsRatio, cpuRatio, goal }) => [
      scenario,
      contender,
      figures.rps.toFixed(0),
      figures.p50Ms.toFixed(2),
      figures.p99Ms.toFixed(2),
      figures.cpuUs?.toFixed(0) ?? '–',
      figures.rssMb?.toFixed(0) ?? '–',
      figures.othersCores?.toFixed(1) ?? '–',
      rpsRatio?.median.toFixed(2) ?? '',
      spread(rpsRatio),
      cpuRatio?.median.toFixed(2) ?? '',
      goal === undefined ? '' : `≥ ${goal}`,
      failed(figures) ?? (judged.includes(contender) ? verdict(rpsRatio, goal) : ''),
    ]),
  ]
}

function failed({ failures, requests, firstFailure }: Row['figures']): string | undefined {
  return failures === 0 ? undefined : `FAILED ${failures} of ${requests}: ${firstFailure}`
}

function verdict(ratio: Ratio | undefined, goal: number | undefined): string {
  if (ratio === undefined || goal === undefined) return ''
  return ratio.median >= goal ? 'reached' : `missed by ${((1 - ratio.median / goal) * 100).toFixed(0)} %`
}

function stormRows({ storms, judged }: Results): string[][] {
  const head = [
    'server',
    'connections',
    'quiet p99 ms',
    'busy p99 ms',
    'quiet rps',
    'busy rps',
    'sign-ins/s',
    'p99 ratio',
    'goal',
    '',
  ]
  return [
    head,
    ...storms.map((storm) => {
      const quiet = median(storm.quiet.map(({ p99Ms }) => p99Ms))
      const busy = median(storm.busy.map(({ p99Ms }) => p99Ms))
      const failure = [...storm.quiet, ...storm.busy].find(({ failures }) => failures > 0)?.firstFailure
      const ratio = busy / quiet
      return [
        storm.contender,
        String(storm.connections),
        quiet.toFixed(2),
        busy.toFixed(2),
        median(storm.quiet.map(({ rps }) => rps)).toFixed(0),
        median(storm.busy.map(({ rps }) => rps)).toFixed(0),
        median(storm.signInsPerSecond).toFixed(1),
        ratio.toFixed(1),
        `< ${goals.stormRatio}`,
        storm.firstFailure ??
          failure ??
          (judged.includes(storm.contender) ? reached(ratio < goals.stormRatio) : ''),
      ]
    }),
  ]
}

function processRows({ processes, judged }: Results): string[][] {
  const head = [
    'server',
    'cold start ms',
    `goal < ${goals.coldStartMs}`,
    'at rest MB',
    `goal < ${goals.restMb}`,
    'peak MB',
  ]
  return [
    head,
    ...processes.map(({ contender, coldStartsMs, restMb, peakMb }) => {
      const coldStartMs = median(coldStartsMs)
      const verdict = (held: boolean) => (judged.includes(contender) ? reached(held) : '')
      return [
        contender,
        coldStartMs.toFixed(0),
        verdict(coldStartMs < goals.coldStartMs),
        restMb?.toFixed(0) ?? '–',
        restMb === undefined ? '' : verdict(restMb < goals.restMb),
        peakMb?.toFixed(0) ?? '–',
      ]
    }),
  ]
}

const reached = (yes: boolean) => (yes ? 'reached' : 'missed')

const spread = (ratio: Ratio | undefined) =>
  ratio ? `${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)}` : ''

function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
