/**
 * Owns how often somebody may try: failures by account, known device and address.
 * Does not own what an attempt is or whether it succeeds; whoever verifies asks here first.
 */
import { createHash } from 'node:crypto'
import { after, type Clock } from '../../kernel/clock.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Feature } from '../feature.ts'
import { addressKey } from './address.ts'
import type { settings } from './settings.ts'
import { openThrottleStore, type ThrottleStore } from './store.ts'
import { type Policy, type Subject, type Throttle, tooManyAttempts } from './throttle.ts'

export { addressKey } from './address.ts'
export type { Admission, Subject, Throttle } from './throttle.ts'

export interface ThrottleDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly settings: SettingValues<typeof settings>
}

/** Not reversible to what was typed: a mistyped identifier is often a password. */
const keyOf = (kind: string, ...parts: readonly string[]): string =>
  `${kind}:${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`

export function openThrottle(dependencies: ThrottleDependencies): Feature & { readonly throttle: Throttle } {
  const { storage, clock } = dependencies
  const store = openThrottleStore(storage)

  return {
    name: 'throttle',
    throttle: {
      admit: admitting(dependencies, store),
      answered: answering(dependencies, store),
      async deviceRenamed(db, from, to) {
        await store.rename(db, from, to)
        for (const kind of kinds) await store.rename(db, forKind(kind, from), forKind(kind, to))
      },
    },
    jobs: [
      {
        name: 'throttle.remove_ended',
        everySeconds: 300,
        run: async () => ({ more: await store.removeEnded(clock.now()) }),
      },
      {
        name: 'throttle.remove_old_devices',
        everySeconds: 3_600,
        run: async () => ({ more: await store.removeExpired(clock.now()) }),
      },
    ],
  }
}

function admitting({ clock, settings }: ThrottleDependencies, store: ThrottleStore): Throttle['admit'] {
  const policy = (allowance: number): Policy => ({ ...settings, allowance })

  async function count(key: string, allowance: number): Promise<number> {
    const now = clock.now()
    const counted = await store.count(key, policy(allowance), now)
    if (counted.admitted) return counted.failures
    throw tooManyAttempts(Math.max(1, Math.ceil((counted.allowedAt.getTime() - now.getTime()) / 1000)))
  }

  const remember = remembering({ clock, settings }, store)

  return async (given) => {
    const subject = ofItsKind(given)
    const keys = keysOf(subject)
    if (await isKnown(store, subject, clock.now())) {
      const key = keys.device
      const failures = await count(key, settings.deviceFailures)
      return {
        isKnown: true,
        withdraw: () => store.takeBack(key, failures),
        async succeeded(id) {
          await Promise.all([store.clear(key), remember(id, subject.device)])
        },
      }
    }
    const fromAddress = await count(keys.address, settings.addressFailures)
    const onAccount = await count(keys.account, settings.accountFailures)
    return {
      isKnown: false,
      async withdraw() {
        await store.takeBack(keys.address, fromAddress)
        await store.takeBack(keys.account, onAccount)
      },
      async succeeded(id) {
        await store.takeBack(keys.address, fromAddress)
        await Promise.all([store.clear(keys.account), remember(id, subject.device)])
      },
    }
  }
}

const remembering =
  ({ clock, settings }: Pick<ThrottleDependencies, 'clock' | 'settings'>, store: ThrottleStore) =>
  async (userId: string, device: string | undefined): Promise<void> => {
    if (device !== undefined)
      await store.remember(userId, device, after(clock.now(), settings.knownDeviceSeconds))
  }

const answering = (dependencies: ThrottleDependencies, store: ThrottleStore): Throttle['answered'] => {
  const remember = remembering(dependencies, store)
  return async (given, userId) => {
    const subject = ofItsKind(given)
    const keys = keysOf(subject)
    if (await isKnown(store, subject, dependencies.clock.now())) await store.clear(keys.device)
    else await Promise.all([store.clear(keys.account), store.takeBack(keys.address)])
    await remember(userId, subject.device)
  }
}

/** A device is looked up for unknown accounts too, so that known ones take no longer. */
const isKnown = async (
  store: ThrottleStore,
  { account, userId = account, device }: Subject,
  at: Date,
): Promise<boolean> => device !== undefined && (await store.isKnown(userId, device, at))

/** The counters of a subject. */
function keysOf({ account, userId = account, device = '', address, asking }: Subject) {
  const from = addressKey(address)
  if (asking === undefined) {
    return {
      device: keyOf('device', userId, device),
      address: keyOf('address', from),
      account: keyOf('account', account),
    }
  }
  return {
    device: keyOf('device', asking, userId, device),
    address: keyOf('address', asking, from),
    account: keyOf('account', asking, from, account),
  }
}

const kinds = ['second-factor', 'mailed-code'] as const
const prefixes = { 'second-factor': 'second', 'mailed-code': 'mailed' } as const

/** A browser is known for passwords, for second factors and for mailed codes apart. */
const forKind = (kind: (typeof kinds)[number], device: string): string => `${prefixes[kind]} ${device}`

const ofItsKind = ({ kind, device, ...subject }: Subject): Subject =>
  device === undefined ? subject : { ...subject, device: kind === undefined ? device : forKind(kind, device) }
