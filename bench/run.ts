import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startBare } from './bare.ts'
import type { Cleanup } from './cleanup.ts'
import { installCleanup } from './cleanup.ts'
import { machine } from './machine.ts'
import type { Contender } from './measure.ts'
import { createContender, measureInTurn } from './measure.ts'
import type { Options } from './options.ts'
import { readOptions, usage } from './options.ts'
import { parameters } from './parameters.ts'
import { readUsage } from './process-usage.ts'
import { report } from './report.ts'
import type { Results } from './results.ts'
import { toRows } from './results.ts'
import { type Scenario, scenarios } from './scenarios.ts'
import { compareShapes, readShape } from './shape.ts'
import { measureStorm } from './sign-in-storm.ts'

const stormName = 'sign-ins'
const settleMs = 2000
const scenarioNames = [...scenarios.map(({ name }) => name), stormName]

const options = readOptions(process.argv.slice(2), scenarioNames)
if (options === 'help') {
  process.stdout.write(`${usage.replace('SCENARIOS', scenarioNames.join(', '))}\n`)
} else {
  const cleanup = installCleanup(options.limitSeconds)
  try {
    const results = await run(options, cleanup)
    process.stdout.write(`\n${report(results)}\n`)
    const file = options.jsonFile ?? defaultFile()
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
    process.stdout.write(`\n${file}\n`)
  } finally {
    await cleanup.run()
  }
}

async function run(options: Options, cleanup: Cleanup): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  cleanup.onExit(() => rmSync(folder, { recursive: true, force: true }))
  const contenders = await startContenders(options, folder, cleanup)
  await pause(settleMs)
  const atRest = new Map(contenders.map((contender) => [contender, readUsage(contender.running.pid)?.rssMb]))

  const remarks = await differences(contenders)
  const rows = []
  for (const scenario of scenarios.filter((each) => isWanted(each, options))) {
    progress(scenario.name)
    const able = scenario.alone ? contenders.slice(1) : contenders
    rows.push(...toRows(scenario, await measureInTurn(able, scenario, options)))
  }
  const storms = []
  const stormy = options.noise ? contenders : contenders.slice(1)
  for (const connections of (options.only?.includes(stormName) ?? true) ? [1, parameters.connections] : []) {
    for (const contender of stormy) {
      progress(`${stormName}, ${connections} connections, ${contender.target.name}`)
      storms.push({
        contender: contender.target.name,
        ...(await measureStorm(contender, {
          connections,
          seconds: options.seconds * 2,
          rounds: Math.ceil(options.rounds / 2),
        })),
      })
    }
  }
  return {
    machine: machine(),
    options: { seconds: options.seconds, rounds: options.rounds, connections: parameters.connections },
    rows,
    storms,
    processes: contenders.map((contender) => ({
      contender: contender.target.name,
      coldStartsMs: contender.running.coldStartsMs,
      restMb: atRest.get(contender),
      peakMb: readUsage(contender.running.pid)?.peakRssMb,
    })),
    judged: options.noise ? [] : contenders.slice(1).map(({ target }) => target.name),
    remarks,
  }
}

function isWanted({ name, alone }: Scenario, { only, noise }: Options): boolean {
  return (only?.includes(name) ?? true) && !(alone && noise)
}

/** The bare provider first: it is the reference of every ratio. */
async function startContenders(
  options: Options,
  folder: string,
  cleanup: Cleanup,
): Promise<readonly Contender[]> {
  progress('starting')
  const { starts } = options
  const contenders = [createContender(await startBare({ name: 'bare', folder, starts, cleanup }))]
  if (options.noise) {
    contenders.push(createContender(await startBare({ name: 'bare again', folder, starts, cleanup })))
  } else {
    const { startLatchkey } = await import('./latchkey.ts')
    for (const database of options.databases) {
      contenders.push(createContender(await startLatchkey({ database, folder, starts, cleanup })))
    }
  }
  for (const { running } of contenders) cleanup.onEnd(running.stop)
  return contenders
}

async function differences(contenders: readonly Contender[]): Promise<string[]> {
  const [reference, ...others] = await Promise.all(
    contenders.map(async (contender) => ({ name: contender.target.name, shape: await readShape(contender) })),
  )
  return others.flatMap(({ name, shape }) => (reference ? compareShapes(name, shape, reference.shape) : []))
}

function progress(message: string): void {
  process.stderr.write(`${message}\n`)
}

function defaultFile(): string {
  const time = new Date().toISOString().replace(/[:.]/g, '-')
  return fileURLToPath(new URL(`results/${time}.json`, import.meta.url))
}
