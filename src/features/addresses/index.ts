/**
 * Owns the proof that an e-mail address is somebody's, and the change of one: mailed codes and links, what is pending.
 * Does not own which address a user has (`users`), nor the sending of mail.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts, Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import type { Mail } from '../mail/index.ts'
import type { Notices } from '../notices/index.ts'
import type { Outbox } from '../outbox/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { type Addresses, codePurpose, type SentCode } from './addresses.ts'
import { asking } from './asking.ts'
import { confirming } from './confirming.ts'
import { proofDelivery } from './delivery.ts'
import { verifyAddress } from './interlude.ts'
import { addressLink } from './link.ts'
import { addressPanel } from './panel.ts'
import type { settings } from './settings.ts'
import { type AddressStore, openAddressStore } from './store.ts'

export type { AddressChanged, Addresses, AddressLink, Asker, PendingAddress } from './addresses.ts'

export interface AddressDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly throttle: Throttle
  readonly attempts: Pick<Attempts, 'requireOpen'>
  readonly challenges: Challenges
  readonly outbox: Outbox
  readonly notices: Notices
  readonly mail: Mail
  readonly settings: SettingValues<typeof settings>
  /** The configured issuer, the only source of the links' address. */
  readonly issuer: string
}

export interface AddressesFeature extends Feature {
  readonly addresses: Addresses
}

export function openAddresses(dependencies: AddressDependencies): AddressesFeature {
  const { storage, clock, users, mail, settings } = dependencies
  const store = openAddressStore(storage)
  const available = mail.available
  const own = { ...dependencies, store, available, transaction: storage.transaction }
  const addresses: Addresses = { available, ...asking(own), ...confirming(own), ...pending(own) }
  const required = settings.verification === 'required'

  return {
    name: 'addresses',
    addresses,
    panels: [addressPanel({ users, addresses })],
    links: [addressLink(addresses)],
    deliveries: [proofDelivery(own)],
    ...(required && { interlude: verifyAddress({ users, addresses }) }),
    export: async (userId) => ({ pending: (await addresses.find(userId)) ?? null }),
    jobs: [
      {
        name: 'addresses.remove_expired',
        everySeconds: 3_600,
        run: async () => ({ more: await store.removeExpired(clock.now()) }),
      },
    ],
  }
}

type Pending = Pick<Addresses, 'find' | 'isCodeSent' | 'cancel' | 'endPending' | 'changed'>

function pending(dependencies: AddressDependencies & { readonly store: AddressStore }): Pending {
  const { store, clock, storage, challenges, audit, notices } = dependencies

  return {
    async find(userId) {
      const proof = await store.findOfUser(userId, clock.now())
      if (proof === undefined) return undefined
      const { email, createdAt, expiresAt } = proof
      return { email, createdAt, expiresAt }
    },

    async isCodeSent({ userId, owner }) {
      const sent = (await challenges.find(owner, codePurpose))?.state as SentCode | undefined
      const proof = await store.findOfUser(userId, clock.now())
      return sent !== undefined && sent.tokenHash === proof?.tokenHash
    },

    async cancel({ userId, owner, request }) {
      await challenges.end(owner, codePurpose)
      await storage.transaction(async (db) => {
        if ((await store.endOfUser(db, userId, clock.now())) === 0) return
        const actor = { kind: 'user', userId } as const
        await audit.recordIn(db, {
          action: 'addresses.cancelled',
          outcome: 'success',
          actor,
          userId,
          request,
        })
      })
    },

    endPending: (db, userId) => store.endChangesOfUser(db, userId, clock.now()),

    async changed(db, { before, after, request, keep }) {
      const to = [before.email, after.email].filter((email) => email !== null)
      await store.endOfUser(db, after.id, clock.now())
      await notices.credentialsChanged(db, {
        userId: after.id,
        what: after.email === null ? 'address-removed' : 'address-changed',
        ...(after.email !== null && { params: { address: after.email } }),
        ...(request && { request }),
        // A link may be opened long after the session that asked for it.
        ...(keep && { keep, madeIn: {} }),
        to,
      })
    },
  }
}
