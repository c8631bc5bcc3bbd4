import type Provider from 'oidc-provider'
import type { Configuration } from 'oidc-provider'
import type { InstanceInputs, OptionInputs } from './inputs.ts'

/** A part of the protocol with a home of its own: what it tells the library, and what it adds to what the library builds. */
export interface Area {
  /** Joined with those of the other areas: lists and objects are put together, of single values the last counts. */
  options?(inputs: OptionInputs): Configuration
  /** Its models, grant types and middleware. */
  extend?(provider: Provider, inputs: InstanceInputs): void
}

/** Puts configurations together: lists are appended, objects joined, and of single values the last counts. */
export const joined = (configurations: readonly Configuration[]): Configuration => ({
  ...configurations.reduce<Configuration>((all, each) => join(all, each) as Configuration, {}),
  ...tokenClaims(configurations.flatMap(({ extraTokenClaims }) => extraTokenClaims ?? [])),
})

type ExtraTokenClaims = NonNullable<Configuration['extraTokenClaims']>

/** Several areas may have something to say in a token; of the same claim the last counts. */
function tokenClaims(all: readonly ExtraTokenClaims[]): Configuration {
  if (all.length <= 1) return {}
  return {
    async extraTokenClaims(ctx, token) {
      const said = await Promise.all(all.map((each) => each(ctx, token)))
      const claims: Record<string, unknown> = Object.assign({}, ...said)
      return Object.keys(claims).length === 0 ? undefined : claims
    },
  }
}

function join(first: unknown, second: unknown): unknown {
  if (second === undefined) return first
  if (Array.isArray(first) && Array.isArray(second)) return [...new Set([...first, ...second])]
  if (!isPlain(first) || !isPlain(second)) return second
  const names = [...new Set([...Object.keys(first), ...Object.keys(second)])]
  return Object.fromEntries(names.map((name) => [name, join(first[name], second[name])]))
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
