import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Challenge, Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Enrolment, Holder } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import { newCodes, written } from './codes.ts'
import { enrolmentOver, enrolmentSeconds, malformedInput, notSaved } from './recovery-codes.ts'
import type { RecoveryCodeStore } from './store.ts'

export interface EnrolmentDependencies {
  readonly transaction: Storage['transaction']
  readonly store: RecoveryCodeStore
  readonly clock: Clock
  readonly audit: Audit
  readonly notices: Notices
  readonly challenges: Challenges
}

const purpose = 'recovery-codes.enrolment'
const stateSchema = z.strictObject({ codes: z.array(z.string()) })
const inputSchema = z.strictObject({ saved: z.string().optional() })

/** The codes count, and earlier ones end, once the person says that he has saved them. They are shown until then alone. */
export function recoveryCodeEnrolment(dependencies: EnrolmentDependencies): Enrolment {
  const { store, challenges } = dependencies
  const keep = keeping(dependencies)

  return {
    label: 'recovery-codes.enrolment',

    async begin(holder) {
      const { left } = await store.count(holder.user.id)
      const codes = await codesShownTo(challenges, holder)
      return { template: 'recovery-codes/enrol', model: { codes: codes.map(written), left } }
    },

    async finish(holder, input) {
      const parsed = inputSchema.safeParse(input)
      if (!parsed.success) throw malformedInput(parsed.error)
      if (parsed.data.saved !== 'yes') throw notSaved()
      const codes = codesOf(await challenges.take(holder.id, purpose), holder)
      if (codes === undefined) throw enrolmentOver()
      await keep(holder, codes)
      return undefined
    },
  }
}

const codesOf = (challenge: Challenge | undefined, { user }: Holder): readonly string[] | undefined =>
  challenge?.userId === user.id ? stateSchema.parse(challenge.state).codes : undefined

/** The same ones until they are saved, so that a reload shows what was printed. */
async function codesShownTo(challenges: Challenges, holder: Holder): Promise<readonly string[]> {
  const waiting = codesOf(await challenges.find(holder.id, purpose), holder)
  if (waiting !== undefined) return waiting
  const codes = newCodes()
  const challenge = { userId: holder.user.id, state: { codes }, ttlSeconds: enrolmentSeconds }
  await challenges.put(holder.id, purpose, challenge)
  return codes
}

const keeping =
  ({ transaction, store, clock, audit, notices }: EnrolmentDependencies) =>
  ({ user, request, locale, keep }: Holder, codes: readonly string[]): Promise<void> =>
    transaction(async (db) => {
      const userId = user.id
      await store.replace(db, { userId, hashes: codes.map(hashSecret), createdAt: clock.now() })
      const actor = { kind: 'user', userId } as const
      await audit.recordIn(db, { action: 'recovery-codes.made', outcome: 'success', actor, userId, request })
      await notices.credentialsChanged(db, { userId, what: 'recovery-codes-made', request, locale, keep })
    })
