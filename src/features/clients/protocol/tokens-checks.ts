import type { Check } from './check.ts'

export const tokenChecks: readonly Check[] = [
  ({ authentication, refreshTokenIdleSeconds }) =>
    authentication !== 'none' && refreshTokenIdleSeconds !== undefined
      ? 'The refresh tokens of a client that authenticates do not rotate, so use does not prolong them. Leave refreshTokenIdleSeconds out and give refreshTokenMaximumSeconds.'
      : undefined,
  ({ grantTypes, refreshTokenMaximumSeconds, refreshTokenIdleSeconds }) =>
    !grantTypes.includes('refresh_token') &&
    (refreshTokenMaximumSeconds ?? refreshTokenIdleSeconds) !== undefined
      ? 'A client without the grant refresh_token has no refresh tokens. Leave their lifetimes out, or add the grant.'
      : undefined,
  ({ refreshTokenMaximumSeconds, refreshTokenIdleSeconds }) =>
    (refreshTokenIdleSeconds ?? 0) > (refreshTokenMaximumSeconds ?? Number.POSITIVE_INFINITY)
      ? 'refreshTokenIdleSeconds is more than refreshTokenMaximumSeconds, so it would never count. Make it less.'
      : undefined,
]

/** The most that the server lets a client have, in seconds. */
export interface LifetimeLimits {
  readonly accessTokenMaximumSeconds: number
  readonly idTokenTtlSeconds: number
  readonly refreshTokenIdleSeconds: number
  readonly refreshTokenMaximumSeconds: number
}

const limited = [
  ['accessTokenTtlSeconds', 'accessTokenMaximumSeconds'],
  ['idTokenTtlSeconds', 'idTokenTtlSeconds'],
  ['refreshTokenIdleSeconds', 'refreshTokenIdleSeconds'],
  ['refreshTokenMaximumSeconds', 'refreshTokenMaximumSeconds'],
] as const

/** Lifetimes may be shorter than the server's, never longer. */
export const lifetimeCheck =
  (limits: LifetimeLimits): Check =>
  (draft) => {
    for (const [field, limit] of limited) {
      const asked = draft[field]
      if (asked !== undefined && asked > limits[limit])
        return `${field} is ${asked}, and the server allows at most ${limits[limit]}. Give less, or raise the server's own limit first.`
    }
    return undefined
  }
