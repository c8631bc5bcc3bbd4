/**
 * Authenticator apps and recovery codes on real storage, with a clock that stands still and mail that is kept.
 *
 *     await using house = await openSecondFactors()
 *     const anna = await house.person({ username: 'anna' })
 *     const key = await house.addApp(house.holder(anna))
 *     await house.totp.factor.finish(house.attemptOf(anna), { code: codeOf(key, house.clock.now()) })
 */
import { generateSync } from 'otplib'
import { openAttempts } from '../../src/features/attempts/index.ts'
import { openAudit } from '../../src/features/audit/index.ts'
import { settings as auditSettings } from '../../src/features/audit/settings.ts'
import type { Attempt, Holder, Visit } from '../../src/features/feature.ts'
import type { MailMessage } from '../../src/features/mail/index.ts'
import { openNotices } from '../../src/features/notices/index.ts'
import { openRecoveryCodes } from '../../src/features/recovery-codes/index.ts'
import { openThrottle } from '../../src/features/throttle/index.ts'
import { settings as throttleSettings } from '../../src/features/throttle/settings.ts'
import { openTotp } from '../../src/features/totp/index.ts'
import { type NewUser, openUsers, type User } from '../../src/features/users/index.ts'
import { after, type Clock } from '../../src/kernel/clock.ts'
import type { Log } from '../../src/kernel/log.ts'
import { openSealing } from '../../src/kernel/sealing.ts'
import type { SettingValues } from '../../src/kernel/settings.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { fixedClock } from './clock.ts'
import { attempt, change, defaultsOf, issuer, request } from './people.ts'
import { openTestStorage } from './storage.ts'

/** The code that an app with this key shows; `steps` later than at the instant, each of 30 seconds. */
export const codeOf = (key: string, at: Date, steps = 0): string =>
  generateSync({ secret: key, epoch: Math.floor(after(at, steps * 30).getTime() / 1000) })

export interface Ended {
  readonly userId: string
  readonly keep: object
}

interface Basis {
  readonly clock: Clock
  readonly throttle: Partial<SettingValues<typeof throttleSettings>>
  readonly mails: MailMessage[]
  readonly ended: Ended[]
}

const sealing = openSealing(Buffer.alloc(32, 9))
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** The features over `storage`; a second call over the same database is a second process. */
function openHouse(storage: Storage, { clock, throttle: own, mails, ended }: Basis) {
  const { audit } = openAudit({ storage, clock, log: silent, settings: defaultsOf(auditSettings) })
  const settings = { ...defaultsOf(throttleSettings), ...own }
  const { throttle } = openThrottle({ storage, clock, settings })
  const attempts = openAttempts({
    storage,
    clock,
    sealing,
    ttlSeconds: 3_600,
    isSessionOpen: async () => true,
  })
  const { users } = openUsers({
    storage,
    clock,
    audit,
    endEverything: async () => {},
    issuePasswordLink: () => Promise.reject(new Error('Nobody is invited here.')),
    addressChanged: async () => {},
  })
  const { notices } = openNotices({
    clock,
    issuer,
    mail: { available: true, send: async (message) => void mails.push(message) },
    attempts: attempts.attempts,
    endEverything: async (_db, userId) => void ended.push({ userId, keep: {} }),
    endOthers: async (_db, userId, keep) => void ended.push({ userId, keep }),
    forgetDevices: async () => {},
    endPendingAddress: async () => {},
    describeBrowser: async () => ({}),
  })
  const { challenges } = attempts
  const basics = { storage, clock, sealing, audit, users, throttle }
  const shared = { ...basics, attempts: attempts.attempts, challenges, notices }
  const recoveryCodes = openRecoveryCodes({ ...shared, freshSeconds: 600 })
  const totp = openTotp({ ...shared, serviceName: 'Latchkey', leadOn: recoveryCodes.leadOn })
  return { challenges, users, throttle, totp, recoveryCodes }
}

export type SecondFactors = Awaited<ReturnType<typeof openSecondFactors>>

export const openSecondFactors = async (throttle: Basis['throttle'] = {}) => {
  const storage = await openTestStorage()
  const clock = fixedClock()
  const mails: MailMessage[] = []
  const ended: Ended[] = []
  const basis = { clock, throttle, mails, ended }
  const house = openHouse(storage, basis)

  const holder = (user: User, own: Partial<Holder> = {}): Holder => ({
    id: `session of ${user.id}`,
    user: { id: user.id, name: user.email ?? user.username ?? user.id },
    request,
    locale: 'en',
    keep: { sessionUid: 'this-session' },
    ...own,
  })

  /** The key that is shown to somebody who adds an app. */
  const keyShownTo = async (to: Holder): Promise<string> => {
    const { model } = await enrolmentOf(house.totp).begin(to)
    return (model.groups as readonly string[]).join('')
  }

  return {
    ...house,
    storage,
    clock,
    mails,
    /** Whose sessions and tokens were ended, and what stayed. */
    ended,
    holder,
    keyShownTo,
    person: (user: NewUser): Promise<User> => house.users.create(user, change),
    /** A second process over the same database, at the same time. */
    openAnother: async () => openHouse(await storage.openAnother(), basis),
    attemptOf: (user: User, own: Partial<Attempt> = {}): Attempt => attempt({ userId: user.id, ...own }),
    visit: (user: User, own: Partial<Visit> = {}): Visit => ({
      userId: user.id,
      sessionUid: 'this-session',
      authenticatedAt: clock.now(),
      holder: holder(user),
      request,
      locale: 'en',
      ...own,
    }),
    /** Adds an app and returns its key; the clock goes on, so that the next code is a new one. */
    async addApp(to: Holder, name = 'Phone'): Promise<string> {
      const key = await keyShownTo(to)
      await enrolmentOf(house.totp).finish(to, { code: codeOf(key, clock.now()), name })
      clock.advance(60)
      return key
    },
    /** Makes a set of recovery codes and returns it as it was shown. */
    async makeCodes(to: Holder): Promise<readonly string[]> {
      const { model } = await enrolmentOf(house.recoveryCodes).begin(to)
      await enrolmentOf(house.recoveryCodes).finish(to, { saved: 'yes' })
      return model.codes as readonly string[]
    },
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}

export const enrolmentOf = ({ factor }: Pick<SecondFactors['totp'], 'factor'>) => {
  if (factor.enrolment === undefined) throw new Error(`${factor.name} cannot be added.`)
  return factor.enrolment
}
