import { z } from 'zod'
import { after, type Clock } from '../../kernel/clock.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Enrolment, Interlude } from '../feature.ts'
import { passkeyFactor } from './passkeys.ts'
import type { RelyingParty } from './relying-party.ts'
import type { settings } from './settings.ts'
import type { PasskeyStore } from './store.ts'

export interface OfferDependencies {
  readonly store: PasskeyStore
  readonly clock: Clock
  readonly relyingParty: RelyingParty
  readonly settings: SettingValues<typeof settings>
}

/** What the script says of a browser that can make one; nobody else is bothered. */
const capability = 'passkeys'
const forGood = new Date('9999-12-31T00:00:00Z')

/** The form's script leaves the field empty where none was made; the buttons that decline send it along. */
const answerSchema = z.strictObject({
  answer: z.enum(['later', 'never']),
  credential: z.literal('').optional(),
})

/** The offer of a passkey to those who sign in without one. */
export function passkeyOffer(dependencies: OfferDependencies, enrolment: Enrolment): Interlude {
  const { store, clock, relyingParty, settings } = dependencies
  const later = (): Date => after(clock.now(), settings.offerAgainSeconds)

  return {
    name: 'passkey-offer',
    order: 60,
    capability,

    async due({ userId, proofs, provenAnew }) {
      if (!settings.offer || !provenAnew || proofs.some(({ factor }) => factor === passkeyFactor))
        return false
      const { hasOne, total, deferredUntil } = await store.offerState(userId, relyingParty.id)
      if (total >= settings.limit) return false
      return !hasOne && (deferredUntil === undefined || deferredUntil <= clock.now())
    },

    show: async ({ holder }) => ({ ...(await enrolment.begin(holder)), template: 'passkeys/offer' }),

    async finish({ userId, holder }, input) {
      const { data } = answerSchema.safeParse(input)
      if (data === undefined) return await enrolment.finish(holder, input)
      await store.deferOffer(userId, data.answer === 'never' ? forGood : later())
      return undefined
    },
  }
}
