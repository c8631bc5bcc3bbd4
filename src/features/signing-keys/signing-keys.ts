import { after } from '../../kernel/clock.ts'

/** The algorithms of ID tokens and JWT access tokens that the server offers (RFC 7518 §3, RFC 8037). */
export const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof algorithms)[number]

export type KeyState = 'next' | 'active' | 'retired'

export interface SigningKey {
  readonly kid: string
  readonly algorithm: Algorithm
  readonly state: KeyState
  readonly createdAt: Date
  readonly activatedAt: Date | undefined
  readonly retiredAt: Date | undefined
}

export type Step =
  | { readonly do: 'create'; readonly algorithm: Algorithm; readonly state: 'next' | 'active' }
  | { readonly do: 'activate'; readonly kid: string; readonly retire: string | undefined }
  | { readonly do: 'remove'; readonly kid: string }

export interface Schedule {
  readonly rotationSeconds: number
  readonly publishSeconds: number
  readonly retentionSeconds: number
}

/** What is due now. The life of a key: published as `next`, signs as `active`, verifies as `retired`, removed. */
export function dueSteps(keys: readonly SigningKey[], now: Date, schedule: Schedule): readonly Step[] {
  const removals = keys
    .filter(({ retiredAt }) => retiredAt !== undefined && after(retiredAt, schedule.retentionSeconds) <= now)
    .map(({ kid }): Step => ({ do: 'remove', kid }))
  return [...algorithms.flatMap((algorithm) => dueFor(algorithm, keys, { now, schedule })), ...removals]
}

function dueFor(
  algorithm: Algorithm,
  keys: readonly SigningKey[],
  { now, schedule }: { readonly now: Date; readonly schedule: Schedule },
): readonly Step[] {
  const own = keys.filter((key) => key.algorithm === algorithm)
  const active = own.find(({ state }) => state === 'active')
  const next = own.find(({ state }) => state === 'next')
  if (active === undefined) {
    return [
      next === undefined
        ? { do: 'create', algorithm, state: 'active' }
        : { do: 'activate', kid: next.kid, retire: undefined },
    ]
  }
  const takesOverAt = after(active.activatedAt ?? active.createdAt, schedule.rotationSeconds)
  if (next === undefined) {
    return after(takesOverAt, -schedule.publishSeconds) <= now
      ? [{ do: 'create', algorithm, state: 'next' }]
      : []
  }
  const publishedLongEnough = after(next.createdAt, schedule.publishSeconds) <= now
  return publishedLongEnough ? [{ do: 'activate', kid: next.kid, retire: active.kid }] : []
}
