import type { Client, Configuration } from 'oidc-provider'
import type { Clock } from '../kernel/clock.ts'
import type { SettingValues } from '../kernel/settings.ts'
import type { Payload } from './artefacts/payload.ts'
import { factsOf } from './sessions/facts.ts'
import type { settings } from './settings.ts'

type Values = SettingValues<typeof settings>
/** What a session may last. */
export type SessionLimits = Pick<
  Values,
  'sessionIdleSeconds' | 'sessionMaximumSeconds' | 'sessionBriefMaximumSeconds'
>

const codeTtlSeconds = 60
const requestTtlSeconds = 60

/** Lifetimes in seconds. Expiry is stored with each artefact and checked in the query that reads it. */
export function lifetimes(values: Values, clock: Clock): NonNullable<Configuration['ttl']> {
  const age = (since: number | undefined): number =>
    since === undefined ? 0 : Math.floor(clock.now().getTime() / 1000) - since
  const capped = (idle: number, maximum: number, since: number | undefined): number =>
    Math.max(1, Math.min(idle, maximum - age(since)))

  return {
    AuthorizationCode: codeTtlSeconds,
    PushedAuthorizationRequest: requestTtlSeconds,
    AccessToken: (_ctx, token, client) => accessTokenTtl(values, token, client),
    ClientCredentials: (_ctx, token, client) => accessTokenTtl(values, token, client),
    IdToken: (_ctx, _token, client) => shortest(values.idTokenTtlSeconds, client?.id_token_ttl_seconds),
    // One that does not rotate is written once, so its time cannot be prolonged by use.
    RefreshToken: (_ctx, token, client) => {
      const maximum = shortest(values.refreshTokenMaximumSeconds, client.refresh_token_maximum_seconds)
      if (client.clientAuthMethod !== 'none' || token.isSenderConstrained()) return maximum
      return capped(
        shortest(values.refreshTokenIdleSeconds, client.refresh_token_idle_seconds),
        maximum,
        token.iiat,
      )
    },
    Session: (_ctx, session) =>
      capped(values.sessionIdleSeconds, sessionMaximum(values, session), session.loginTs),
    Interaction: values.interactionTtlSeconds,
    Grant: values.refreshTokenMaximumSeconds + values.sessionMaximumSeconds,
  }
}

/** The server's own lifetime, or the client's where that is less. */
const shortest = (server: number, client: unknown): number =>
  typeof client === 'number' ? Math.min(server, client) : server

/** The shortest of what the API, the client and the server say counts. */
const accessTokenTtl = (
  values: Values,
  { resourceServer }: { readonly resourceServer?: { readonly accessTokenTTL?: number } | undefined },
  client: Client | undefined,
): number => {
  const ofApi = resourceServer?.accessTokenTTL ?? values.accessTokenTtlSeconds
  return shortest(Math.min(ofApi, values.accessTokenMaximumSeconds), client?.access_token_ttl_seconds)
}

/** A session that its person did not ask to keep is `transient`, in the library's word. */
const sessionMaximum = (values: SessionLimits, { transient }: { readonly transient?: unknown }): number =>
  transient === true
    ? Math.min(values.sessionBriefMaximumSeconds, values.sessionMaximumSeconds)
    : values.sessionMaximumSeconds

/**
 * Whether a session is past its limits. Its row expires by those that held when it was last written; where they have been
 * narrowed since, the narrower ones count at once.
 */
export const isOver = (values: SessionLimits, session: Payload, now: Date): boolean =>
  endsAt(values, session) <= now.getTime()

/** When a session is over if it is not used again, in milliseconds since 1970; never where nobody is signed in in it. */
export function endsAt(values: SessionLimits, session: Payload): number {
  const { loginTs } = session
  const lastUsedAt = factsOf(session)?.lastUsedAt
  return Math.min(
    lastUsedAt === undefined ? Number.POSITIVE_INFINITY : lastUsedAt + values.sessionIdleSeconds * 1000,
    typeof loginTs === 'number'
      ? (loginTs + sessionMaximum(values, session)) * 1000
      : Number.POSITIVE_INFINITY,
  )
}
