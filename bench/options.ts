import { parseArgs } from 'node:util'
import type { Database } from './database.ts'

export interface Options {
  readonly quick: boolean
  readonly databases: readonly Database[]
  /** Names of scenarios, or undefined for all; `sign-ins` is the one beside sign-ins. */
  readonly only?: readonly string[]
  readonly jsonFile?: string
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly rounds: number
  readonly starts: number
  readonly limitSeconds: number
  /** Measures a second bare provider instead of Latchkey: how far from 1 its ratios lie is the noise. */
  readonly noise: boolean
}

export const usage = `npm run bench -- [options]

  --quick              shorter windows, for a first look
  --scenario NAME      only this one (repeatable): SCENARIOS
  --database WHICH     sqlite, postgresql or both (default: both)
  --json FILE          where to write the figures (default: bench/results/<time>.json)
  --rounds N           windows of each server in each scenario (default: 9, quick: 3)
  --noise              bare provider against bare provider: shows what the machine's noise is worth
  --help`

/** @throws on an unknown option or value */
export function readOptions(args: readonly string[], scenarioNames: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true },
      database: { type: 'string', default: 'both' },
      json: { type: 'string' },
      rounds: { type: 'string' },
      noise: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const unknown = values.scenario?.find((name) => !scenarioNames.includes(name))
  if (unknown !== undefined) throw new Error(`no scenario ${unknown}; there are ${scenarioNames.join(', ')}`)
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 9))
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1')
  return {
    quick: values.quick,
    databases: databasesOf(values.database),
    only: values.scenario,
    jsonFile: values.json,
    seconds: values.quick ? 0.5 : 1,
    warmUpSeconds: values.quick ? 0.5 : 1.5,
    rounds,
    starts: values.quick ? 1 : 5,
    limitSeconds: 1800,
    noise: values.noise,
  }
}

/** @throws on anything but sqlite, postgresql and both */
export function databasesOf(choice: string): readonly Database[] {
  if (choice === 'both') return ['sqlite', 'postgresql']
  if (choice === 'sqlite' || choice === 'postgresql') return [choice]
  throw new Error('--database takes sqlite, postgresql or both')
}
