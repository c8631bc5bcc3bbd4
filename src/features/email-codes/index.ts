/**
 * Owns the code and link that are mailed to prove who one is: the factor `email-code`, and what its link shows.
 * Does not own which address is whose (`users`, `addresses`), the sending of mail, or what comes next in a sign-in.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts, Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import type { Mail } from '../mail/index.ts'
import type { Outbox } from '../outbox/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { codeDelivery } from './delivery.ts'
import { emailCodeFactor } from './factor.ts'
import { emailCodeLink } from './link.ts'
import { openMemory } from './memory.ts'
import { type OriginDependencies, openOrigins } from './origins.ts'
import type { settings } from './settings.ts'

export interface EmailCodeDependencies extends OriginDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly throttle: Throttle
  readonly attempts: Pick<Attempts, 'epochOf'>
  readonly challenges: Challenges
  readonly outbox: Outbox
  readonly mail: Mail
  readonly settings: SettingValues<typeof settings>
  /** The configured issuer, the only source of the links' address. */
  readonly issuer: string
}

export function openEmailCodes(dependencies: EmailCodeDependencies): Feature {
  const { storage, challenges, mail, settings } = dependencies
  const { use: offers, codeSeconds } = settings
  const memory = openMemory(challenges, codeSeconds)
  const own = {
    ...dependencies,
    memory,
    transaction: storage.transaction,
    origins: openOrigins(dependencies),
  }
  // Links and what waits in the outbox are answered even where the factor was switched off since.
  const parts = { name: 'email-codes', links: [emailCodeLink(own)], deliveries: [codeDelivery(own)] }
  return offers === 'off' || !mail.available
    ? parts
    : { ...parts, factor: emailCodeFactor({ ...own, offers }) }
}
