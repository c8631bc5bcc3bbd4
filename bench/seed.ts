import { z } from 'zod'
import { parameters } from './parameters.ts'
import { fapiKeys } from './proofs.ts'
import type { Credentials, Seeded } from './target.ts'
import { exchangeGrant } from './token-exchange.ts'

const webGrants = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
] as const

/** Runs the `latchkey` command against the database under test; returns what it printed. */
export type Latchkey = (args: readonly string[], input?: string) => Promise<string>

/** Creates the user, APIs and clients of the contract in `target.ts`, through the command line alone. */
export async function seed(latchkey: Latchkey): Promise<Seeded> {
  const { user, apis, apiScope, redirectUri, scope, idTokenAlgorithm } = parameters
  await latchkey(
    ['setup', 'administrator', '--email', user.identifier, '--name', user.name],
    `${user.password}\n`,
  )
  for (const [algorithm, indicator] of Object.entries(apis)) await createApi(latchkey, algorithm, indicator)
  const web = await createClient(latchkey, 'web', [
    ...['--redirect-uri', redirectUri, '--id-token-algorithm', idTokenAlgorithm, '--first-party'],
    ...scope.split(' ').flatMap((name) => ['--scope', name]),
    ...webGrants.flatMap((name) => ['--grant-type', name]),
  ])
  const service = await createClient(
    latchkey,
    'service',
    apiScope.split(' ').flatMap((name) => ['--scope', name]),
  )
  const fapi = await createClient(latchkey, 'web', [
    ...['--redirect-uri', redirectUri, '--first-party', '--profile', 'fapi-2-security'],
    ...['--jwks', JSON.stringify({ keys: [fapiKeys.registered] })],
    ...scope.split(' ').flatMap((name) => ['--scope', name]),
  ])
  const exchanger = await createClient(latchkey, 'web', [
    ...['--redirect-uri', redirectUri, '--first-party'],
    ...['openid', apiScope].flatMap((name) => ['--scope', name]),
    ...['authorization_code', exchangeGrant].flatMap((name) => ['--grant-type', name]),
    ...['--token-exchange', JSON.stringify({ modes: ['delegate'], audiences: [apis.es256] })],
  ])
  return {
    web,
    service,
    fapi,
    exchanger,
    apis,
    user: { identifier: user.identifier, password: user.password },
  }
}

async function createApi(latchkey: Latchkey, algorithm: string, indicator: string): Promise<void> {
  const scopes = parameters.apiScope.split(' ').flatMap((name) => ['--scope', `${name}=Use ${name}`])
  const flags = [
    '--indicator',
    indicator,
    '--name',
    `Bench ${algorithm}`,
    '--token-algorithm',
    algorithm.toUpperCase(),
  ]
  await latchkey(['resources', 'create', ...flags, ...scopes])
}

const createdClient = z.object({
  item: z.object({ id: z.string() }),
  reveals: z.object({ secret: z.string() }).optional(),
})

async function createClient(
  latchkey: Latchkey,
  kind: 'web' | 'service',
  flags: readonly string[],
): Promise<Credentials> {
  const { item, reveals } = createdClient.parse(
    JSON.parse(
      await latchkey(['clients', 'create', '--kind', kind, '--name', `Bench ${kind}`, '--json', ...flags]),
    ),
  )
  return { id: item.id, secret: reveals?.secret ?? '' }
}
