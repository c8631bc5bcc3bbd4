import type { Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import { groupedCode } from '../../kernel/mailed-codes.ts'
import type { Delivery } from '../feature.ts'
import type { Mail } from '../mail/index.ts'
import type { User, Users } from '../users/index.ts'
import { type ProofToSend, topic } from './addresses.ts'
import type { AddressStore } from './store.ts'

export interface DeliveryDependencies {
  readonly store: AddressStore
  readonly clock: Clock
  readonly users: Users
  readonly mail: Mail
  readonly issuer: string
  readonly settings: { readonly proofSeconds: number }
}

/** Mails the proof once the request was answered; only here does it matter whether somebody else has the address. */
export function proofDelivery(dependencies: DeliveryDependencies): Delivery {
  const { store, clock, users, mail, issuer, settings } = dependencies

  async function confirm({ userId, email, isChange, token, code, locale }: ProofToSend, user: User) {
    await mail.send({
      to: email,
      userId,
      template: isChange ? 'address-change' : 'address-confirm',
      model: { account: nameOf(user), minutes: Math.ceil(settings.proofSeconds / 60) },
      link: `${issuer}/link/address?token=${token}`,
      code: groupedCode(code),
      locale: user.locale ?? locale,
    })
  }

  return {
    topic,
    async deliver(payload) {
      const work = payload as ProofToSend
      const proof = await store.findByToken(hashSecret(work.token), clock.now())
      const user = await users.find(work.userId)
      if (proof === undefined || user === undefined) return
      const owner = await users.findByIdentifier(work.email)
      if (owner === undefined || owner.id === user.id) return await confirm(work, user)
      const { id: userId, email: to, locale } = owner
      if (to !== null)
        await mail.send({ to, userId, template: 'address-taken', locale: locale ?? work.locale })
    },
  }
}

/** By which a person knows his account, beside the address. */
export const nameOf = ({ name, username, email }: User): string => name ?? username ?? email ?? ''
