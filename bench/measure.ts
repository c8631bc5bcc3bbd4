import type { Browser } from './browser.ts'
import { signIn } from './flows.ts'
import type { Measured } from './load.ts'
import { runLoad } from './load.ts'
import { parameters } from './parameters.ts'
import { readMachineCpuUs, readUsage } from './process-usage.ts'
import type { Scenario, Subject } from './scenarios.ts'
import type { Running } from './target.ts'

/** A window with what the server process spent on it; undefined where the system does not tell. */
export interface Window extends Measured {
  readonly cpuUs?: number
  readonly rssMb?: number
  /** Cores that processes other than the server and the generator kept busy; a database server counts here. */
  readonly othersCores?: number
}

export interface Contender extends Subject {
  readonly running: Running
}

export function createContender(running: Running): Contender {
  let signedIn: Promise<readonly Browser[]> | undefined
  return {
    running,
    target: running.target,
    browsers() {
      signedIn ??= Promise.all(Array.from({ length: parameters.connections }, () => signIn(running.target)))
      return signedIn
    },
  }
}

export async function measure(contender: Contender, scenario: Scenario, seconds: number): Promise<Window> {
  const stream = await scenario.prepare(contender, seconds)
  const before = readUsage(contender.running.pid)
  const machineBefore = readMachineCpuUs()
  const measured = await runLoad(stream, seconds)
  const after = readUsage(contender.running.pid)
  const machineAfter = readMachineCpuUs()
  if (!before || !after || machineBefore === undefined || machineAfter === undefined) return measured
  const serverUs = after.cpuUs - before.cpuUs
  const generatorUs = measured.generatorCpuUs * measured.requests
  const othersUs = Math.max(0, machineAfter - machineBefore - serverUs - generatorUs)
  return {
    ...measured,
    cpuUs: serverUs / Math.max(measured.requests, 1),
    rssMb: after.rssMb,
    othersCores: othersUs / 1e6 / measured.seconds,
  }
}

/**
 * Measures one scenario on every contender in turn, `rounds` times, every second round backwards,
 * so that a drift of the machine meets all alike. Returns the windows by contender, in the order of the rounds.
 */
export async function measureInTurn(
  contenders: readonly Contender[],
  scenario: Scenario,
  options: { readonly seconds: number; readonly warmUpSeconds: number; readonly rounds: number },
): Promise<ReadonlyMap<Contender, readonly Window[]>> {
  const windows = new Map<Contender, Window[]>(contenders.map((contender) => [contender, []]))
  for (const contender of contenders) await measure(contender, scenario, options.warmUpSeconds)
  for (let round = 0; round < options.rounds; round += 1) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed()
    for (const contender of order)
      windows.get(contender)?.push(await measure(contender, scenario, options.seconds))
  }
  return windows
}
