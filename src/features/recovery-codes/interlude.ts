import { z } from 'zod'
import { after, type Clock } from '../../kernel/clock.ts'
import type { Enrolment, Interlude, ProvenAttempt } from '../feature.ts'
import { factorName } from './factor.ts'
import { choiceMissing, fewLeft, malformedInput } from './recovery-codes.ts'
import type { RecoveryCodeStore } from './store.ts'

const inputSchema = z.strictObject({ choice: z.string(), saved: z.string() }).partial()

export interface InterludeDependencies {
  readonly store: RecoveryCodeStore
  readonly clock: Clock
  /** How long after proving who he is a person may change how he signs in. */
  readonly freshSeconds: number
}

/** After a code was used, and while few are left: says so, and has new ones ready. */
export function recoveryCodeInterlude(
  { store, clock, freshSeconds }: InterludeDependencies,
  enrolment: Enrolment,
): Interlude {
  // Who comes back in a session, or on a trusted device, has not proven all of it now, and is not shown codes.
  const isFresh = ({ proofs, provenAnew }: ProvenAttempt): boolean =>
    provenAnew && proofs.some(({ at }) => after(at, freshSeconds) > clock.now())
  const wasUsed = ({ proofs }: ProvenAttempt): boolean => proofs.some(({ factor }) => factor === factorName)

  return {
    name: 'recovery-codes',
    order: 50,

    async due(attempt) {
      const { total, left } = await store.count(attempt.userId)
      return isFresh(attempt) && total > 0 && (left <= fewLeft || wasUsed(attempt))
    },

    async show(attempt) {
      const { model } = await enrolment.begin(attempt.holder)
      return { template: 'recovery-codes/interlude', model: { ...model, used: wasUsed(attempt) } }
    },

    async finish(attempt, input) {
      const parsed = inputSchema.safeParse(input)
      if (!parsed.success) throw malformedInput(parsed.error)
      const { choice, saved } = parsed.data
      if (choice === 'later') return
      if (choice !== 'replace' || !isFresh(attempt)) throw choiceMissing()
      await enrolment.finish(attempt.holder, { saved })
    },
  }
}
