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
      async deviceRenamed(db, from, to) {
        await store.rename(db, from, to)
        await store.rename(db, forSecond(from), forSecond(to))
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

  // A device is looked up for unknown accounts too, so that known ones take no longer.
  const isKnown = async ({ account, userId = account, device }: Subject): Promise<boolean> =>
    device !== undefined && (await store.isKnown(userId, device, clock.now()))

  const remember = async (userId: string, device: string | undefined): Promise<void> => {
    if (device !== undefined)
      await store.remember(userId, device, after(clock.now(), settings.knownDeviceSeconds))
  }

  return async (given) => {
    const subject = inItsStep(given)
    const { account, userId = account, device = '' } = subject
    if (await isKnown(subject)) {
      const key = keyOf('device', userId, device)
      const failures = await count(key, settings.deviceFailures)
      return {
        withdraw: () => store.takeBack(key, failures),
        async succeeded(id) {
          await Promise.all([store.clear(key), remember(id, device)])
        },
      }
    }
    const addressCounter = keyOf('address', addressKey(subject.address))
    const accountCounter = keyOf('account', account)
    const fromAddress = await count(addressCounter, settings.addressFailures)
    const onAccount = await count(accountCounter, settings.accountFailures)
    return {
      async withdraw() {
        await store.takeBack(addressCounter, fromAddress)
        await store.takeBack(accountCounter, onAccount)
      },
      async succeeded(id) {
        await store.takeBack(addressCounter, fromAddress)
        await Promise.all([store.clear(accountCounter), remember(id, subject.device)])
      },
    }
  }
}

/** A browser is known for first and for second factors apart. */
const forSecond = (device: string): string => `second ${device}`

const inItsStep = ({ step, device, ...subject }: Subject): Subject =>
  device === undefined ? subject : { ...subject, device: step === 'second' ? forSecond(device) : device }
