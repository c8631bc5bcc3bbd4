/**
 * Owns passwords: hashing, the rules for choosing one, the one-time links on which one is chosen, the factor `password`,
 * changing it. Does not own who there is (`users`), how often somebody may try (`throttle`), what ends with the old one
 * (`notices`), nor the pages that ask.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Factor, Feature } from '../feature.ts'
import type { Mail } from '../mail/index.ts'
import type { Notices } from '../notices/index.ts'
import type { Outbox } from '../outbox/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { passwordFactor } from './factor.ts'
import { openHashing } from './hashing.ts'
import { openLinks } from './links.ts'
import { passwordPanel } from './panel.ts'
import type { Passwords } from './passwords.ts'
import { choiceRules } from './policy.ts'
import type { OtherWays } from './removal.ts'
import { resetDelivery, resetRequests } from './resets.ts'
import type { settings } from './settings.ts'
import { openPasswordStore } from './store.ts'

export type { PasswordHash } from './hashing.ts'
export type { LinkPurpose, PasswordLinkIssued, Passwords } from './passwords.ts'
export type { Known } from './policy.ts'
export type { OtherWays } from './removal.ts'

export interface PasswordDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly throttle: Throttle
  readonly settings: SettingValues<typeof settings>
  /** The configured issuer, the only source of the links' address. */
  readonly issuer: string
  /** What the service is called; nobody may choose these as a password. */
  readonly productNames: readonly string[]
  readonly mail: Mail
  readonly outbox: Outbox
  readonly notices: Notices
  readonly attempts: Pick<Attempts, 'epochOf'>
  readonly otherWays: OtherWays
}

export interface PasswordsFeature extends Feature {
  readonly passwords: Passwords
  readonly factor: Factor
}

export function openPasswords(dependencies: PasswordDependencies): PasswordsFeature {
  const { storage, clock, settings, productNames } = dependencies
  const store = openPasswordStore(storage)
  const hashing = openHashing(settings)
  const checkChoice = choiceRules(settings.minimumLength, productNames)

  const setting: Pick<Passwords, 'prepare' | 'set'> = {
    async prepare(password, known) {
      await checkChoice(password, known)
      return await hashing.hash(password)
    },
    set: (db, userId, hash) => store.set(db, userId, { hash, at: clock.now() }),
  }

  const links = openLinks({ ...dependencies, store, transaction: storage.transaction }, setting)
  const resetting = { ...dependencies, store }

  return {
    name: 'passwords',
    factor: passwordFactor({ ...dependencies, store, hashing }),
    panels: [passwordPanel({ ...dependencies, store, hashing }, setting.prepare)],
    deliveries: [resetDelivery(resetting, links.issueLink)],
    passwords: {
      minimumLength: settings.minimumLength,
      resetsByMail: dependencies.mail.available,
      ...setting,
      ...links,
      requestReset: resetRequests(resetting),
      endLinks: (db, userId) => store.endLinks(db, userId, clock.now()),
    },
    jobs: [
      {
        name: 'passwords.remove_old_links',
        everySeconds: 3_600,
        run: async () => ({ more: await store.removeExpired(clock.now()) }),
      },
    ],
    async export(userId) {
      const changedAt = await store.findChange(userId)
      return changedAt === undefined ? undefined : { changedAt: changedAt.toISOString() }
    },
  }
}
