/**
 * Owns how people make their own account: whether they may, invitations, the code that proves the address.
 * Does not own users, passwords, profile fields or terms, which it has made through their features, nor the pages.
 */
import { after, type Clock } from '../../kernel/clock.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import type { Mail } from '../mail/index.ts'
import type { Passwords } from '../passwords/index.ts'
import type { Terms } from '../terms/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { openAwaiting } from './awaiting.ts'
import { administerInvitations } from './invitations.ts'
import { registrationLink } from './links.ts'
import { type NewPersonFields, openRegistering } from './registering.ts'
import { noMailForOpen, type Registration } from './registrations.ts'
import type { settings } from './settings.ts'
import { openInvitationStore } from './store.ts'

export { registrationsDefinition } from './definition.ts'
export type { InvitationItem } from './invitations.ts'
export type { NewPersonFields } from './registering.ts'
export type { Registration, RegistrationForm, RegistrationInput, RegistrationMode } from './registrations.ts'

export interface RegistrationDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  readonly challenges: Challenges
  readonly users: Users
  readonly passwords: Passwords
  readonly terms: Terms
  readonly throttle: Throttle
  readonly fields: NewPersonFields
  readonly mail: Mail
  readonly settings: SettingValues<typeof settings>
  /** The configured issuer, the only source of the links' address. */
  readonly issuer: string
}

export interface RegistrationsFeature extends Feature {
  readonly registration: Registration
  readonly resource: ReturnType<typeof administerInvitations>
}

/** Ended invitations are still listed for so long. */
const keptSeconds = 30 * 86_400

/** Throws `registrations.no_mail` (500) where everybody could register and nobody prove an address. */
export function openRegistrations(dependencies: RegistrationDependencies): RegistrationsFeature {
  const { storage, clock, mail, settings } = dependencies
  if (settings.mode === 'open' && !mail.available) throw noMailForOpen()
  const store = openInvitationStore(storage)
  const awaiting = openAwaiting(dependencies)
  return {
    name: 'registrations',
    registration: openRegistering({ ...dependencies, store }, awaiting),
    resource: administerInvitations({ ...dependencies, store, transaction: storage.transaction }),
    links: [registrationLink(awaiting)],
    jobs: [
      {
        name: 'registrations.remove_old_invitations',
        everySeconds: 3_600,
        run: async () => ({ more: await store.removeEnded(after(clock.now(), -keptSeconds)) }),
      },
    ],
  }
}
