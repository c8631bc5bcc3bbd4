import { readFileSync } from 'node:fs'
import { AppError } from '../kernel/errors.ts'
import { type Setting, type SettingValues, variableOf } from '../kernel/settings.ts'
import { type Sections, sections } from './sections.ts'

/** The whole configuration: read once, checked, frozen. */
export type Config = { readonly [Name in keyof Sections]: SettingValues<Sections[Name]> } & {
  /** The issuer identifier (OpenID Connect Discovery 1.0 §3), without a trailing slash. */
  readonly issuer: string
  /** No issuer was given: the server is for trying out and developing on this machine. */
  readonly development: boolean
}

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the environment. Throws one `config.invalid` that names every variable that is wrong or unknown, so that all of
 * them can be mended at once.
 */
export function readConfig(environment: Environment): Config {
  const problems: string[] = []
  const known = new Set<string>()
  const read = ([section, settings]: readonly [string, Readonly<Record<string, Setting<unknown>>>]) => {
    const values = Object.entries(settings).map(([key, setting]) => {
      const variable = variableOf(section, key, setting)
      known.add(variable)
      if (setting.secret) known.add(`${variable}_FILE`)
      return [key, settingOf(variable, setting, { environment, problems })] as const
    })
    return [section, Object.freeze(Object.fromEntries(values))] as const
  }
  const values = Object.fromEntries(Object.entries(sections).map(read)) as Omit<
    Config,
    'issuer' | 'development'
  >
  problems.push(...unknownVariables(environment, known), ...issuerProblems(values.server.issuer))
  if (problems.length > 0) {
    throw new AppError(
      'config.invalid',
      500,
      `The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nSee docs/configuration.md.`,
    )
  }
  // As an origin: with the host in lower case and without a port that goes without saying, as every other URL has it.
  const { origin, pathname } = new URL(values.server.issuer ?? `http://localhost:${values.server.port}`)
  const issuer = origin + (pathname === '/' ? '' : pathname)
  return Object.freeze({ ...values, issuer, development: values.server.issuer === undefined })
}

interface Reading {
  readonly environment: Environment
  readonly problems: string[]
}

function settingOf(variable: string, setting: Setting<unknown>, { environment, problems }: Reading): unknown {
  const text = setting.secret ? secretText(variable, { environment, problems }) : environment[variable]
  if (text === undefined || text === '') return frozen(setting.fallback)
  const parsed = setting.schema.safeParse(text)
  if (parsed.success) return frozen(parsed.data)
  const shown = setting.secret ? '' : ` "${text}"`
  problems.push(
    `${variable}${shown} ${parsed.error.issues.map(({ message }) => message).join(', ')} (${setting.type})`,
  )
  return setting.fallback
}

/** A copy all the way down: defaults are shared, and what was parsed is ours alone. */
function frozen(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen))
  if (typeof value !== 'object' || value === null) return value
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([name, part]) => [name, frozen(part)])))
}

function secretText(variable: string, { environment, problems }: Reading): string | undefined {
  const file = environment[`${variable}_FILE`]
  if (file === undefined || file === '') return environment[variable]
  if (environment[variable]) problems.push(`${variable} and ${variable}_FILE are both set; keep one`)
  try {
    const text = readFileSync(file, 'utf8').trim()
    if (text === '') problems.push(`${variable}_FILE: ${file} is empty`)
    return text
  } catch (error) {
    problems.push(`${variable}_FILE: ${(error as Error).message}`)
    return undefined
  }
}

/** Variables for the test suite are not settings of the server. */
const foreign = /^LATCHKEY_TEST_/

function unknownVariables(environment: Environment, known: ReadonlySet<string>): readonly string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith('LATCHKEY_') && !known.has(name) && !foreign.test(name))
    .map((name) => `${name} is not a setting${nearest(name, known)}`)
}

function nearest(name: string, known: ReadonlySet<string>): string {
  const candidates = [...known].map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
  const best = candidates.sort((a, b) => a.distance - b.distance)[0]
  return best !== undefined && best.distance <= 4 ? `; did you mean ${best.candidate}?` : ''
}

/** Levenshtein's distance, for suggestions only. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, right] of [...b].entries()) {
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (left === right ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

function issuerProblems(issuer: string | undefined): readonly string[] {
  const url = issuer === undefined ? null : URL.parse(issuer)
  if (url === null) return []
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.has(url.hostname))) {
    return ['LATCHKEY_ISSUER must begin with https:// (http:// is for localhost only)']
  }
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    return ['LATCHKEY_ISSUER must be a scheme, a host and at most a path, such as https://id.example.com']
  }
  if (!/^(?:\/|(?:\/[A-Za-z0-9_-][A-Za-z0-9._~-]*)+)$/.test(url.pathname)) {
    return [
      'LATCHKEY_ISSUER has a path that cannot be used. Write it plainly and without a slash at its end, such as https://example.com/id',
    ]
  }
  return []
}
