import { after } from '../../kernel/clock.ts'

/** What every server signs with (RFC 7518 §3, RFC 8037): it answers nobody before it has a key of each. */
export const neededAtOnce = ['RS256', 'ES256', 'EdDSA'] as const
/** With what others encrypt for the server: a key of each kind, RSA or P-256 (RFC 7518 §4.3, §4.6). */
export const encryptionAlgorithms = ['RSA-OAEP-256', 'ECDH-ES'] as const
/** What the server has a key for. Those that few ask for are made in the background after the first start. */
export const algorithms = [...neededAtOnce, 'PS256', ...encryptionAlgorithms] as const
export type Algorithm = (typeof algorithms)[number]

export const encrypts = (algorithm: Algorithm): boolean =>
  (encryptionAlgorithms as readonly Algorithm[]).includes(algorithm)

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
  const { active, next } = keysOf(algorithm, keys)
  if (active === undefined) return [firstStep(algorithm, next)]
  const takesOverAt = after(active.activatedAt ?? active.createdAt, schedule.rotationSeconds)
  if (next === undefined) {
    return after(takesOverAt, -schedule.publishSeconds) <= now
      ? [{ do: 'create', algorithm, state: 'next' }]
      : []
  }
  const publishedLongEnough = after(next.createdAt, schedule.publishSeconds) <= now
  return publishedLongEnough ? [{ do: 'activate', kid: next.kid, retire: active.kid }] : []
}

/** What gives each algorithm a next key, or its first one, whatever the schedule. */
export const publicationSteps = (keys: readonly SigningKey[], only: readonly Algorithm[]): readonly Step[] =>
  only.flatMap((algorithm): readonly Step[] => {
    const { active, next } = keysOf(algorithm, keys)
    if (active === undefined) return [firstStep(algorithm, next)]
    return next === undefined ? [{ do: 'create', algorithm, state: 'next' }] : []
  })

/** What lets every next key sign, however short it has been published. */
export const activationSteps = (keys: readonly SigningKey[], only: readonly Algorithm[]): readonly Step[] =>
  only.flatMap((algorithm): readonly Step[] => {
    const { active, next } = keysOf(algorithm, keys)
    return next === undefined ? [] : [{ do: 'activate', kid: next.kid, retire: active?.kid }]
  })

function keysOf(algorithm: Algorithm, keys: readonly SigningKey[]) {
  const inState = (wanted: KeyState): SigningKey | undefined =>
    keys.find((key) => key.algorithm === algorithm && key.state === wanted)
  return { active: inState('active'), next: inState('next') }
}

/** Where nothing signs yet there is nobody to wait for. */
const firstStep = (algorithm: Algorithm, next: SigningKey | undefined): Step =>
  next === undefined
    ? { do: 'create', algorithm, state: 'active' }
    : { do: 'activate', kid: next.kid, retire: undefined }
