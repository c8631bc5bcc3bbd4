/**
 * The features about people on real storage, put together as the server does, with a clock that stands still.
 *
 *     await using people = await openPeople()
 *     const anna = await people.person({ username: 'anna' }, 'a password of hers')
 */
import { openAttempts } from '../../src/features/attempts/index.ts'
import { openAudit } from '../../src/features/audit/index.ts'
import { settings as auditSettings } from '../../src/features/audit/settings.ts'
import type { Attempt, Proof } from '../../src/features/feature.ts'
import type { Mail, MailMessage } from '../../src/features/mail/index.ts'
import { openNotices } from '../../src/features/notices/index.ts'
import type { Outbox } from '../../src/features/outbox/index.ts'
import { type OtherWays, openPasswords, type PasswordsFeature } from '../../src/features/passwords/index.ts'
import { settings as passwordSettings } from '../../src/features/passwords/settings.ts'
import { openSetup } from '../../src/features/setup/index.ts'
import { settings as setupSettings } from '../../src/features/setup/settings.ts'
import { openThrottle } from '../../src/features/throttle/index.ts'
import { settings as throttleSettings } from '../../src/features/throttle/settings.ts'
import { type NewUser, openUsers, type User } from '../../src/features/users/index.ts'
import { systemActor } from '../../src/kernel/http.ts'
import type { Log } from '../../src/kernel/log.ts'
import { openSealing } from '../../src/kernel/sealing.ts'
import type { Settings, SettingValues } from '../../src/kernel/settings.ts'
import type { DatabaseTransaction, Storage } from '../../src/storage/storage.ts'
import { fixedClock } from './clock.ts'
import { openTestStorage } from './storage.ts'

export const issuer = 'https://id.example.test'
export const request = { requestId: 'request-1', address: '192.0.2.1', userAgent: 'test' }
export const change = { actor: systemActor }

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

export const defaultsOf = <S extends Settings>(settings: S): SettingValues<S> =>
  Object.fromEntries(
    Object.entries(settings).map(([key, { fallback }]) => [key, fallback]),
  ) as SettingValues<S>

/** What the artefact store does: nothing short-lived of the user stays. */
const endEverything = async (db: DatabaseTransaction, userId: string): Promise<void> => {
  await db.artefact.deleteMany({ where: { userId } })
}

export interface PeopleSettings {
  readonly passwords?: Partial<SettingValues<typeof passwordSettings>>
  readonly throttle?: Partial<SettingValues<typeof throttleSettings>>
  /** What people sign in with beside a password; nothing where absent. */
  readonly otherWays?: OtherWays
}

/** The features over `storage`; a second call over the same database is a second process. */
export const openFeatures = (storage: Storage, clock = fixedClock(), own: PeopleSettings = {}) => {
  const { audit } = openAudit({ storage, clock, log: silent, settings: defaultsOf(auditSettings) })
  const throttling = openThrottle({
    storage,
    clock,
    settings: { ...defaultsOf(throttleSettings), ...own.throttle },
  })
  const { throttle } = throttling
  const later: { passwords?: PasswordsFeature } = {}
  const usersFeature = openUsers({
    storage,
    clock,
    audit,
    endEverything,
    issuePasswordLink: (userId, purpose, by) => {
      if (later.passwords === undefined) throw new Error('The passwords are not open yet.')
      return later.passwords.passwords.issueLink(userId, purpose, by)
    },
    addressChanged: async () => {},
  })
  const { users } = usersFeature
  const sealing = openSealing(Buffer.alloc(32, 7))
  const attempts = openAttempts({
    storage,
    clock,
    sealing,
    ttlSeconds: 3_600,
    isSessionOpen: async () => true,
  })
  const mails: MailMessage[] = []
  const queued: { readonly topic: string; readonly payload: unknown }[] = []
  const mail: Mail = { available: true, send: async (message) => void mails.push(message) }
  const outbox: Outbox = {
    put: async (_db, topic, payload) => void queued.push({ topic, payload }),
    putAll: async (_db, topic, payloads) =>
      void queued.push(...payloads.map((payload) => ({ topic, payload }))),
  }
  const { notices } = openNotices({
    clock,
    issuer,
    mail,
    attempts: attempts.attempts,
    endEverything,
    endOthers: endEverything,
    describeBrowser: async () => ({}),
    forgetDevices: async (db, userId) => void (await db.trustedDevice.deleteMany({ where: { userId } })),
    endPendingAddress: async (db, userId) => void (await db.addressProof.deleteMany({ where: { userId } })),
  })
  const passwordsFeature = openPasswords({
    storage,
    clock,
    audit,
    users,
    throttle,
    settings: { ...defaultsOf(passwordSettings), ...own.passwords },
    issuer,
    productNames: ['Latchkey'],
    mail,
    outbox,
    notices,
    attempts: attempts.attempts,
    otherWays: own.otherWays ?? { exist: () => false, suffice: async () => false },
  })
  later.passwords = passwordsFeature
  const { passwords, factor } = passwordsFeature
  const setupFeature = openSetup({
    storage,
    clock,
    audit,
    users,
    passwords,
    settings: defaultsOf(setupSettings),
    issuer,
  })
  return {
    storage,
    clock,
    audit,
    throttle,
    users,
    passwords,
    factor,
    setup: setupFeature.setup,
    attempts: attempts.attempts,
    challenges: attempts.challenges,
    notices,
    mail,
    /** What would have been mailed, and what waits in the outbox. */
    mails,
    queued,
    features: {
      users: usersFeature,
      passwords: passwordsFeature,
      throttle: throttling,
      setup: setupFeature,
    },
  }
}

export const attempt = (own: Partial<Attempt> = {}): Attempt => ({
  id: 'interaction-1',
  path: '/interaction/1',
  locale: 'en',
  clientId: 'client-1',
  proofs: [],
  request,
  ...own,
})

export type People = Awaited<ReturnType<typeof openPeople>>

export const openPeople = async (own: PeopleSettings = {}) => {
  const storage = await openTestStorage()
  const features = openFeatures(storage, fixedClock(), own)
  const { users, passwords, factor } = features

  return {
    ...features,
    url: storage.url,
    openAnother: async () => openFeatures(await storage.openAnother(), features.clock, own),

    /** Creates a user and gives him the password, past the rules for choosing one. */
    async person(user: NewUser, password?: string): Promise<User> {
      const created = await users.create(user, change)
      if (password !== undefined) {
        const hash = await passwords.prepare(password, {})
        await storage.transaction((db) => passwords.set(db, created.id, hash))
      }
      return created
    },

    signIn: (identifier: string, password: string, by: Partial<Attempt> = {}): Promise<Proof> =>
      factor.finish(attempt(by), { identifier, password }),

    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}

/** What came of each of many attempts: how often it succeeded, and how often each error code came. */
export const tally = async (attempts: readonly Promise<unknown>[]): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const result of await Promise.allSettled(attempts)) {
    const outcome = result.status === 'fulfilled' ? 'success' : String(result.reason.code ?? result.reason)
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}
