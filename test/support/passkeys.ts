/**
 * Passkeys over the features about people, on real storage, with a clock that stands still.
 *
 *     await using house = await openPasskeyHouse()
 *     const anna = await house.person({ username: 'anna' })
 *     const { device } = await house.withPasskey(anna)
 *     const proof = await house.signIn(device)
 */
import { openAttempts } from '../../src/features/attempts/index.ts'
import { openAudit } from '../../src/features/audit/index.ts'
import { settings as auditSettings } from '../../src/features/audit/settings.ts'
import type { Attempt, Factor, Holder, Proof, Visit } from '../../src/features/feature.ts'
import type { MailMessage } from '../../src/features/mail/index.ts'
import { openNotices } from '../../src/features/notices/index.ts'
import { openPasskeys } from '../../src/features/passkeys/index.ts'
import { settings as passkeySettings } from '../../src/features/passkeys/settings.ts'
import { openThrottle } from '../../src/features/throttle/index.ts'
import { settings as throttleSettings } from '../../src/features/throttle/settings.ts'
import { type NewUser, openUsers, type User } from '../../src/features/users/index.ts'
import type { Log } from '../../src/kernel/log.ts'
import { openSealing } from '../../src/kernel/sealing.ts'
import type { SettingValues } from '../../src/kernel/settings.ts'
import type { Storage } from '../../src/storage/storage.ts'
import {
  type AuthenticatorOptions,
  type Manner,
  newAuthenticator,
  type SoftwareAuthenticator,
} from './authenticator.ts'
import { fixedClock } from './clock.ts'
import { attempt, change, defaultsOf, issuer, request } from './people.ts'
import { openTestStorage } from './storage.ts'

export const challengeTtlSeconds = 1_800
export const here: Manner = { origin: issuer }

export interface PasskeyHouseOptions {
  readonly issuer?: string
  readonly settings?: Partial<SettingValues<typeof passkeySettings>>
  /** What there is to sign in with besides passkeys. */
  readonly factors?: readonly Factor[]
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

const openBelow = (storage: Storage, clock = fixedClock()) => {
  const { audit } = openAudit({ storage, clock, log: silent, settings: defaultsOf(auditSettings) })
  const { throttle } = openThrottle({ storage, clock, settings: defaultsOf(throttleSettings) })
  const { users } = openUsers({
    storage,
    clock,
    audit,
    endEverything: async (db, userId) => void (await db.artefact.deleteMany({ where: { userId } })),
    addressChanged: async () => {},
    issuePasswordLink: () => Promise.reject(new Error('There are no passwords here.')),
  })
  return { storage, clock, audit, throttle, users }
}

/** A second call over another connection is a second process. */
function openFeatures(
  below: ReturnType<typeof openBelow>,
  { settings = {}, issuer: at = issuer, factors = [] }: PasskeyHouseOptions,
) {
  const { storage, clock } = below
  const sealing = openSealing(Buffer.alloc(32, 7))
  const { attempts, challenges } = openAttempts({
    storage,
    clock,
    sealing,
    ttlSeconds: challengeTtlSeconds,
    isSessionOpen: async () => true,
  })
  const mails: MailMessage[] = []
  const ended: string[] = []
  const { notices } = openNotices({
    clock,
    issuer: at,
    attempts,
    mail: { available: true, send: async (mail) => void mails.push(mail) },
    endEverything: async (_db, userId) => void ended.push(`everything of ${userId}`),
    endOthers: async (_db, userId, { sessionUid }) => void ended.push(`all but ${sessionUid} of ${userId}`),
    describeBrowser: async () => ({}),
    forgetDevices: async (_db, userId) => void ended.push(`devices of ${userId}`),
    endPendingAddress: async () => {},
  })
  const passkeys = openPasskeys({
    ...below,
    notices,
    attempts,
    challenges,
    challengeTtlSeconds,
    issuer: at,
    name: 'Latchkey',
    leadOn: async () => undefined,
    settings: { ...defaultsOf(passkeySettings), ...settings },
    factors: () => [...factors, ...(passkeys.factor ? [passkeys.factor] : [])],
  })
  const { factor, interlude, panels: [panel] = [] } = passkeys
  if (factor?.enrolment === undefined || interlude === undefined || panel === undefined)
    throw new Error('Passkeys are not offered.')
  return {
    ...below,
    passkeys,
    factor,
    enrolment: factor.enrolment,
    interlude,
    panel,
    challenges,
    mails,
    ended,
  }
}

export type PasskeyHouse = Awaited<ReturnType<typeof openPasskeyHouse>>

export async function openPasskeyHouse(options: PasskeyHouseOptions = {}) {
  const storage = await openTestStorage()
  const features = openFeatures(openBelow(storage), options)
  const { factor, enrolment, users, clock } = features

  const house = {
    ...features,

    /** Another process over the same database. */
    openAnother: async (own: PasskeyHouseOptions = options) =>
      openFeatures(openBelow(await storage.openAnother(), clock), own),

    person: (user: NewUser): Promise<User> => users.create(user, change),

    /** Makes a passkey for a person; an authenticator of his own where none is given. */
    async withPasskey(
      user: User,
      {
        device = newAuthenticator(),
        manner = here,
      }: { device?: SoftwareAuthenticator; manner?: Manner } = {},
    ) {
      const holder = holderOf(user)
      const credential = device.create(optionsOf(await enrolment.begin(holder)), manner)
      const proof = await enrolment.finish(holder, { credential })
      return { device, holder, credential, proof }
    },

    /** The options of the page on which a sign-in begins, or of the factor's own page where the person is known. */
    options: async (by: Partial<Attempt> = {}): Promise<string> =>
      optionsOf(await (by.userId === undefined ? factor.first : factor.show)?.(attempt(by))),

    async signIn(
      device: SoftwareAuthenticator,
      by: Partial<Attempt> = {},
      manner: Manner = here,
    ): Promise<Proof> {
      const credential = device.get(await house.options(by), manner)
      return await factor.finish(attempt(by), { credential })
    },

    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
  return house
}

/** What a page hands to the browser. */
export const optionsOf = (view: { readonly model: Readonly<Record<string, unknown>> } | undefined): string =>
  String(view?.model.options)

export const holderOf = (user: User, own: Partial<Holder> = {}): Holder => ({
  id: `holder of ${user.id}`,
  user: { id: user.id, name: user.username ?? user.id },
  request,
  locale: 'en',
  keep: { sessionUid: 'session-1' },
  ...own,
})

export const visitOf = (user: User): Visit => ({
  userId: user.id,
  sessionUid: 'session-1',
  authenticatedAt: new Date('2026-01-01T12:00:00Z'),
  holder: holderOf(user),
  request,
  locale: 'en',
})

/** Anna, who has a passkey. */
export const openScene = async (options: AuthenticatorOptions = {}) => {
  const house = await openPasskeyHouse()
  const anna = await house.person({ email: 'anna@example.test', name: 'Anna' })
  const { device } = await house.withPasskey(anna, { device: newAuthenticator(options) })
  return { house, anna, device, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

export const eventsOf = async ({ storage }: PasskeyHouse, action: string) =>
  await storage.db.auditEvent.findMany({ where: { action } })
