import type { Contender, Window } from './measure.ts'
import type { Scenario } from './scenarios.ts'
import type { Storm } from './sign-in-storm.ts'
import { median, medianOfKnown, pairedRatio } from './statistics.ts'

/** Medians over the rounds of one contender in one scenario. */
export interface Figures {
  readonly requests: number
  readonly failures: number
  readonly firstFailure?: string
  readonly rps: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuUs?: number
  readonly rssMb?: number
  /** Cores busy with anything but the server and the generator. */
  readonly othersCores?: number
  readonly generatorCpuUs: number
}

export interface Ratio {
  readonly median: number
  readonly least: number
  readonly most: number
}

export interface Row {
  readonly scenario: string
  readonly contender: string
  readonly figures: Figures
  /** Against the bare provider; absent for the bare provider itself. */
  readonly rpsRatio?: Ratio
  readonly cpuRatio?: Ratio
  readonly goal?: number
}

export interface ProcessFigures {
  readonly contender: string
  readonly coldStartsMs: readonly number[]
  readonly restMb?: number
  readonly peakMb?: number
}

export interface Results {
  readonly machine: Readonly<Record<string, string | number>>
  readonly options: Readonly<Record<string, string | number | boolean>>
  readonly rows: readonly Row[]
  readonly storms: readonly (Storm & { readonly contender: string })[]
  readonly processes: readonly ProcessFigures[]
  /** The contenders that are held against the goals. */
  readonly judged: readonly string[]
  readonly remarks: readonly string[]
}

/** Reduces the windows of a scenario; the first contender is the reference, unless the scenario knows none. */
export function toRows(scenario: Scenario, windows: ReadonlyMap<Contender, readonly Window[]>): Row[] {
  const [first] = windows.values()
  const reference = scenario.alone ? undefined : first
  return [...windows].map(([contender, own]) => {
    const row = { scenario: scenario.name, contender: contender.target.name, figures: figures(own) }
    if (reference === undefined || own === reference) return row
    const cpu = known(own)
    const referenceCpu = known(reference)
    return {
      ...row,
      rpsRatio: pairedRatio(
        own.map(({ rps }) => rps),
        reference.map(({ rps }) => rps),
      ),
      ...(cpu.length > 0 ? { cpuRatio: pairedRatio(cpu, referenceCpu) } : {}),
      ...(scenario.goal === undefined ? {} : { goal: scenario.goal }),
    }
  })
}

function known(windows: readonly Window[]): number[] {
  return windows.flatMap(({ cpuUs }) => (cpuUs === undefined ? [] : [cpuUs]))
}

function figures(windows: readonly Window[]): Figures {
  const of = (pick: (window: Window) => number) => median(windows.map(pick))
  return {
    requests: windows.reduce((sum, { requests }) => sum + requests, 0),
    failures: windows.reduce((sum, { failures }) => sum + failures, 0),
    firstFailure: windows.find(({ firstFailure }) => firstFailure !== undefined)?.firstFailure,
    rps: of(({ rps }) => rps),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuUs: medianOfKnown(windows.map(({ cpuUs }) => cpuUs)),
    rssMb: medianOfKnown(windows.map(({ rssMb }) => rssMb)),
    othersCores: medianOfKnown(windows.map(({ othersCores }) => othersCores)),
    generatorCpuUs: of(({ generatorCpuUs }) => generatorCpuUs),
  }
}
