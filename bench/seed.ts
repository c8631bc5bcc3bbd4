import { z } from 'zod'
import { parameters } from './parameters.ts'
import type { Credentials, Seeded } from './target.ts'

/** Runs the `latchkey` command against the database under test; returns what it printed. */
export type Latchkey = (args: readonly string[], input?: string) => Promise<string>

/** Creates the user, APIs and clients of the contract in `target.ts`, through the command line alone. */
export async function seed(latchkey: Latchkey): Promise<Seeded> {
  const { user, apis, redirectUri, scope } = parameters
  await createUser(latchkey)
  for (const [algorithm, indicator] of Object.entries(apis)) await createApi(latchkey, algorithm, indicator)
  const web = await createClient(latchkey, 'web', {
    'redirect-uri': redirectUri,
    scopes: scope,
    'grant-types': 'authorization_code refresh_token',
    'id-token-algorithm': parameters.idTokenAlgorithm,
    'first-party': true,
  })
  const service = await createClient(latchkey, 'service', { resources: Object.values(apis).join(' ') })
  return { web, service, apis, user: { identifier: user.identifier, password: user.password } }
}

async function createUser(latchkey: Latchkey): Promise<void> {
  const { identifier, name, password } = parameters.user
  const flags = { email: identifier, 'email-verified': true, name, 'password-stdin': true } as const
  await latchkey(['users', 'create', ...toArguments(flags)], `${password}\n`)
}

async function createApi(latchkey: Latchkey, algorithm: string, indicator: string): Promise<void> {
  const flags = {
    indicator,
    name: `Bench ${algorithm}`,
    scopes: parameters.apiScope,
    'token-format': 'jwt',
    'token-algorithm': algorithm.toUpperCase(),
  }
  await latchkey(['resources', 'create', ...toArguments(flags)])
}

const createdClient = z.object({ id: z.string(), secret: z.string() })

async function createClient(
  latchkey: Latchkey,
  type: 'web' | 'service',
  flags: Readonly<Record<string, string | true>>,
): Promise<Credentials> {
  const all = { type, name: `Bench ${type}`, ...flags, json: true } as const
  return createdClient.parse(JSON.parse(await latchkey(['clients', 'create', ...toArguments(all)])))
}

function toArguments(flags: Readonly<Record<string, string | true>>): string[] {
  return Object.entries(flags).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, value],
  )
}
