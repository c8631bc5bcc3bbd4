import { after, type Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Audit } from '../audit/index.ts'
import type { Delivery } from '../feature.ts'
import type { settings } from './settings.ts'
import type { DueRow, OutboxStore } from './store.ts'

/** For so long nobody else takes what one process has taken; what takes longer is broken off before. */
const leaseSeconds = 60
const longestSeconds = 45
const firstWaitSeconds = 10
const maximumErrorLength = 300

export interface AttemptDependencies {
  readonly store: OutboxStore
  readonly clock: Clock
  readonly sealing: Sealing
  readonly audit: Audit
  readonly log: Log
  readonly settings: SettingValues<typeof settings>
}

/** The place of a payload in the database. */
export const payloadPlace = (id: string): string => `outbox_message:${id}:sealed`

export interface Attempt {
  readonly delivery: Delivery
  readonly row: DueRow
  readonly breakOff: AbortSignal
}

/** One try, of whoever gets hold of the row. Does not throw: what went wrong is written down, or its lease runs out. */
export async function attempt(
  dependencies: AttemptDependencies,
  { delivery, row, breakOff }: Attempt,
): Promise<void> {
  const { store, clock, sealing, log } = dependencies
  const { topic } = delivery
  const facts = { topic, message: row.id, attempt: row.attempts + 1 }
  try {
    const now = clock.now()
    if (!(await store.claim(row, now, after(now, leaseSeconds)))) return
    const claimed = { ...row, attempts: row.attempts + 1 }
    const failure = await failureOf(async () => {
      const signal = AbortSignal.any([breakOff, AbortSignal.timeout(longestSeconds * 1000)])
      const payload: unknown = JSON.parse(sealing.open(row.sealed, payloadPlace(row.id)))
      await orBrokenOff(delivery.deliver(payload, signal), signal)
    })
    if (failure === undefined) {
      await store.remove(row.id)
      log.info(facts, 'delivered from the outbox')
    } else if (breakOff.aborted) await store.postpone(claimed, { availableAt: clock.now() })
    else await putBack(dependencies, { topic, row: claimed, failure })
  } catch (error) {
    log.warn({ err: error, ...facts }, 'an attempt at the outbox could not be written down')
  }
}

async function failureOf(work: () => Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return { error }
  }
}

/** A delivery that does not listen to its signal is left behind. */
async function orBrokenOff(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const refuse = (): void => reject(signal.reason)
  signal.addEventListener('abort', refuse)
  try {
    if (signal.aborted) refuse()
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', refuse)
  }
}

interface Failed {
  readonly topic: string
  readonly row: DueRow
  readonly failure: { readonly error: unknown }
}

async function putBack(
  { store, clock, log, audit, settings }: AttemptDependencies,
  { topic, row, failure: { error } }: Failed,
): Promise<void> {
  const now = clock.now()
  const facts = { topic, message: row.id, attempt: row.attempts }
  const lastError = lineOf(error)
  if (isFinal(error) || now >= row.triesUntil) {
    await store.postpone(row, { abandonedAt: now, lastError })
    log.error({ err: error, ...facts }, 'a delivery was given up')
    await audit.record({
      action: 'outbox.given_up',
      outcome: 'failure',
      detail: { ...facts, error: lastError },
    })
    return
  }
  const availableAt = after(now, waitSeconds(row.attempts, settings.longestWaitSeconds))
  await store.postpone(row, { availableAt, lastError })
  log.warn({ err: error, ...facts, next: availableAt }, 'a delivery failed and will be tried again')
}

/** The statuses of a caller's own fault: the same would fail again. */
const isFinal = (error: unknown): boolean =>
  error instanceof AppError && error.status >= 400 && error.status < 500

/** Doubling, with a quarter up or down so that what failed together does not come back together. */
const waitSeconds = (attempts: number, longest: number): number =>
  Math.min(longest, firstWaitSeconds * 2 ** Math.min(attempts - 1, 30)) * (0.75 + Math.random() / 2)

const lineOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .slice(0, maximumErrorLength)
