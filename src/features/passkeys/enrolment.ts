import type { Clock } from '../../kernel/clock.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Enrolment, Holder, Proof } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { Users } from '../users/index.ts'
import { type VerifiedRegistration, verifyRegistration } from './ceremony.ts'
import { registrationIn } from './input.ts'
import { nameBeside, nameFor } from './makers.ts'
import { amrOf, notAdded, type Passkey, pageTooOld, passkeyFactor, tooMany } from './passkeys.ts'
import { creationOptions, newChallenge, type RelyingParty } from './relying-party.ts'
import type { settings } from './settings.ts'
import type { PasskeyStore } from './store.ts'

export interface EnrolmentDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly store: PasskeyStore
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Pick<Users, 'get'>
  readonly notices: Pick<Notices, 'credentialsChanged'>
  readonly challenges: Challenges
  readonly challengeTtlSeconds: number
  readonly relyingParty: RelyingParty
  readonly settings: SettingValues<typeof settings>
}

/** The making of passkeys, wherever it happens. */
export interface Enrolling {
  /** The options for one page, whose challenge takes the place of the one before. Throws `passkeys.too_many` (409). */
  options(holder: Holder): Promise<string>
  /** Throws what `finish` of the socket throws. */
  add(holder: Holder, input: unknown): Promise<Passkey>
}

const purpose = 'passkeys.registration'

export const passkeyEnrolment = (enrolling: Enrolling): Enrolment => ({
  label: 'passkeys.enrol',
  begin: async (holder) => ({
    template: 'passkeys/create',
    model: { options: await enrolling.options(holder) },
  }),
  async finish(holder, input): Promise<Proof> {
    const passkey = await enrolling.add(holder, input)
    return {
      factor: passkeyFactor,
      userId: holder.user.id,
      amr: amrOf(passkey),
      level: 'phishing-resistant',
      at: passkey.createdAt,
    }
  },
})

export function openEnrolling(dependencies: EnrolmentDependencies): Enrolling {
  const { store, users, challenges, challengeTtlSeconds, relyingParty, settings } = dependencies
  const keep = keeping(dependencies)

  return {
    async options({ id, user }) {
      const { email, username, name } = await users.get(user.id)
      const passkeys = await store.list(user.id)
      if (passkeys.length >= settings.limit) throw tooMany(settings.limit)
      const challenge = newChallenge()
      const ttlSeconds = challengeTtlSeconds
      await challenges.put(id, purpose, { userId: user.id, state: challenge, ttlSeconds })
      const owner = {
        handle: await store.handleOf(user.id),
        name: email ?? username ?? user.name,
        displayName: name ?? user.name,
      }
      return creationOptions(relyingParty, {
        challenge,
        owner,
        passkeys: passkeys.filter(({ rpId }) => rpId === relyingParty.id),
      })
    },

    async add(holder, input) {
      const registration = registrationIn(input)
      const challenge = await challenges.take(holder.id, purpose)
      if (challenge === undefined || challenge.userId !== holder.user.id) throw pageTooOld()
      const verified = await verifyRegistration(relyingParty, registration, String(challenge.state)).catch(
        (cause: unknown) => {
          throw notAdded(cause)
        },
      )
      return await keep(holder, verified)
    },
  }
}

/** Stores it, tells the owner, and ends what was signed in before, together or not at all. */
const keeping =
  ({ storage, store, clock, audit, notices, relyingParty, settings }: EnrolmentDependencies) =>
  ({ user, request, keep, locale }: Holder, verified: VerifiedRegistration): Promise<Passkey> =>
    storage.transaction(async (db) => {
      await store.lock(db, user.id)
      const others = await store.list(user.id, db)
      if (others.length >= settings.limit) throw tooMany(settings.limit)
      const name = nameBeside(
        nameFor(verified, request.userAgent),
        others.map((other) => other.name),
      )
      const passkey: Passkey = {
        ...verified,
        userId: user.id,
        name,
        rpId: relyingParty.id,
        createdAt: clock.now(),
        lastUsedAt: undefined,
      }
      await store.insert(db, passkey)
      const actor = { kind: 'user', userId: user.id } as const
      const event = { actor, userId: user.id, request, detail: { name } }
      await audit.recordIn(db, { action: 'passkeys.added', outcome: 'success', ...event })
      const notice = { userId: user.id, what: 'passkey-added', params: { name }, request, keep, locale }
      await notices.credentialsChanged(db, notice)
      return passkey
    })
