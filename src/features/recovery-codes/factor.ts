import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret, type UserId } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Attempt, Enrolment, Factor } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { Throttle } from '../throttle/index.ts'
import { isCode, typedCode } from './codes.ts'
import { codeMalformed, codeMissing, malformedInput, nobodyYet, wrongCode } from './recovery-codes.ts'
import type { RecoveryCodeStore } from './store.ts'

export interface FactorDependencies {
  readonly transaction: Storage['transaction']
  readonly store: RecoveryCodeStore
  readonly clock: Clock
  readonly audit: Audit
  readonly notices: Notices
  readonly throttle: Throttle
  readonly attempts: Pick<Attempts, 'epochOf'>
}

export const factorName = 'recovery-code'

const inputSchema = z.strictObject({ code: z.string().optional() })

export function recoveryCodeFactor(dependencies: FactorDependencies, enrolment: Enrolment): Factor {
  const { store, clock, throttle, audit, attempts } = dependencies
  const used = using(dependencies)

  return {
    name: factorName,
    offers: 'second',
    order: 90,
    backup: true,
    enrolment,
    enrolled: async (userId) => (await store.count(userId)).left > 0,
    show: async () => ({ template: 'recovery-codes/prove', model: {} }),

    async finish(attempt, input) {
      const { userId, clientId, device, request } = attempt
      if (userId === undefined) throw nobodyYet()
      const hash = hashSecret(codeOf(input))
      const account = `recovery-code ${userId}`
      const subject = { account, userId, device, address: request.address, kind: 'second-factor' } as const
      const admission = await throttle.admit(subject)
      const epoch = await attempts.epochOf(userId)
      if (!(await used(attempt, userId, hash))) {
        await audit.record({
          action: 'recovery-codes.refused',
          outcome: 'failure',
          userId,
          clientId,
          request,
        })
        throw wrongCode()
      }
      await admission.succeeded(userId)
      return { factor: factorName, userId, amr: ['otp'], at: clock.now(), epoch }
    },
  }
}

function codeOf(input: unknown): string {
  const parsed = inputSchema.safeParse(input)
  if (!parsed.success) throw malformedInput(parsed.error)
  const { code: typed = '' } = parsed.data
  if (typed.trim() === '') throw codeMissing()
  if (typed.length > 200) throw codeMalformed()
  const code = typedCode(typed)
  if (!isCode(code)) throw codeMalformed()
  return code
}

/** The use, its record and the word to the owner are there together or not at all. */
const using =
  ({ transaction, store, clock, audit, notices }: FactorDependencies) =>
  ({ clientId, request, locale }: Attempt, userId: UserId, hash: string): Promise<boolean> =>
    transaction(async (db) => {
      if (!(await store.use(db, { userId, hash, at: clock.now() }))) return false
      const { left } = await store.count(userId, db)
      const event = {
        action: 'recovery-codes.proved',
        outcome: 'success',
        userId,
        clientId,
        request,
      } as const
      await audit.recordIn(db, { ...event, detail: { left } })
      await notices.tell(db, { userId, what: 'recovery-code-used', params: { left }, request, locale })
      return true
    })
