import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Attempt, Enrolment, Factor } from '../feature.ts'
import type { Throttle } from '../throttle/index.ts'
import { stepOf } from './codes.ts'
import { openKey } from './keys.ts'
import type { TotpStore } from './store.ts'
import { codeUsed, malformedInput, nobodyYet, wrongCode } from './totp.ts'
import { readCode } from './typed.ts'

export interface FactorDependencies {
  readonly store: TotpStore
  readonly clock: Clock
  readonly sealing: Sealing
  readonly audit: Audit
  readonly throttle: Throttle
  readonly attempts: Pick<Attempts, 'epochOf'>
}

const inputSchema = z.strictObject({ code: z.string().optional() })

export function totpFactor(dependencies: FactorDependencies, enrolment: Enrolment): Factor {
  const { store, clock, throttle, audit, attempts } = dependencies
  const accept = accepting(dependencies)

  return {
    name: 'totp',
    offers: 'second',
    order: 10,
    enrolment,
    enrolled: store.has,
    show: async () => ({ template: 'totp/prove', model: {} }),

    async finish(attempt, input) {
      const { userId, device, request } = attempt
      if (userId === undefined) throw nobodyYet()
      const code = codeOf(input)
      const account = `totp ${userId}`
      const subject = { account, userId, device, address: request.address, kind: 'second-factor' } as const
      const admission = await throttle.admit(subject)
      const epoch = await attempts.epochOf(userId)
      const outcome = await accept(userId, code)
      await audit.record(eventOf(outcome, attempt, userId))
      if (outcome === 'wrong') throw wrongCode()
      if (outcome === 'used') throw codeUsed()
      await admission.succeeded(userId)
      return { factor: 'totp', userId, amr: ['otp'], at: clock.now(), epoch }
    },
  }
}

function codeOf(input: unknown): string {
  const parsed = inputSchema.safeParse(input)
  if (!parsed.success) throw malformedInput(parsed.error)
  return readCode(parsed.data.code ?? '')
}

type Outcome = 'accepted' | 'used' | 'wrong'

/** Which of a person's authenticators shows the code does not matter; every one that might is asked. */
const accepting =
  ({ store, sealing, clock }: FactorDependencies) =>
  async (userId: UserId, code: string): Promise<Outcome> => {
    const at = clock.now()
    const matching = (await store.keyed(userId)).flatMap((each) => {
      const step = stepOf(openKey(sealing, userId, each), code, at)
      return step === undefined ? [] : [{ id: each.id, userId, step, at }]
    })
    for (const use of matching) if (await store.use(use)) return 'accepted'
    return matching.length > 0 ? 'used' : 'wrong'
  }

const eventOf = (outcome: Outcome, { request, clientId }: Attempt, userId: UserId) => {
  const event = { userId, clientId, request }
  return outcome === 'accepted'
    ? ({ ...event, action: 'totp.proved', outcome: 'success' } as const)
    : ({ ...event, action: 'totp.refused', outcome: 'failure', detail: { reason: outcome } } as const)
}
