/**
 * Owns which browsers a person is not asked for a second step in, until when, and how he takes that back.
 * Does not own the device cookie (pages) nor when a second step is due (`pages/login/next-step.ts`).
 */
import { after } from '../../kernel/clock.ts'
import { longestUserAgent } from '../../kernel/http.ts'
import { hashSecret, newSecret } from '../../kernel/ids.ts'
import type { Feature } from '../feature.ts'
import { trustedDevicesPanel } from './panel.ts'
import { openTrustedDeviceStore, type Trusted, type TrustedDeviceStore } from './store.ts'
import { deviceNotFound, type TrustedDeviceDependencies, type TrustedDevices } from './trusted-devices.ts'

export type { TrustedDevice, TrustedDeviceDependencies, TrustedDevices, Trusting } from './trusted-devices.ts'

export interface TrustedDevicesFeature extends Feature {
  readonly trustedDevices: TrustedDevices
}

export function openTrustedDevices(dependencies: TrustedDeviceDependencies): TrustedDevicesFeature {
  const { storage, clock, settings } = dependencies
  const store = openTrustedDeviceStore(storage)
  const trusted = (): Trusted => ({
    createdAt: { gt: after(clock.now(), -settings.trustSeconds) },
    expiresAt: { gt: clock.now() },
  })
  const trustedDevices: TrustedDevices = {
    offered: settings.trustSeconds > 0,
    trustSeconds: settings.trustSeconds,
    isTrusted: (userId, device) =>
      store.use({ userId, deviceHash: hashSecret(device) }, trusted(), clock.now()),
    remember: remembering(dependencies, store),
    list: (userId) => store.list(userId, trusted()),
    revoke: revoking(dependencies, store),
    forgetAll: (db, userId) => store.forgetOthers(db, userId, undefined),
    forget: store.forget,
    forgetOthers: store.forgetOthers,
  }

  return {
    name: 'trusted-devices',
    trustedDevices,
    panels: [trustedDevicesPanel({ ...dependencies, trustedDevices })],
    async export(userId) {
      const devices = await trustedDevices.list(userId)
      return devices.map(({ deviceHash: _, ...device }) => device)
    },
    jobs: [
      {
        name: 'trusted-devices.remove_expired',
        everySeconds: 3_600,
        run: async () => ({ more: await store.removeExpired(clock.now()) }),
      },
    ],
  }
}

const remembering =
  (
    { storage, clock, audit, attempts, settings, renamed }: TrustedDeviceDependencies,
    store: TrustedDeviceStore,
  ): TrustedDevices['remember'] =>
  async ({ userId, attempt, sessionUid, device, request }) => {
    if (settings.trustSeconds === 0) return device
    const next = newSecret()
    const createdAt = clock.now()
    await storage.transaction(async (db) => {
      await store.lock(db, userId)
      await attempts.requireOpen(db, userId, { attempt })
      await attempts.requireOpen(db, userId, { sessionUid })
      await store.put(db, {
        userId,
        deviceHash: hashSecret(next),
        previousHash: hashSecret(device),
        userAgent: request.userAgent.slice(0, longestUserAgent),
        createdAt,
        expiresAt: after(createdAt, settings.trustSeconds),
      })
      await renamed(db, device, next)
      await audit.recordIn(db, {
        action: 'trusted-devices.remembered',
        outcome: 'success',
        actor: { kind: 'user', userId },
        userId,
        request,
      })
    })
    return next
  }

const revoking =
  ({ storage, audit }: TrustedDeviceDependencies, store: TrustedDeviceStore): TrustedDevices['revoke'] =>
  async (userId, id, request) => {
    await storage.transaction(async (db) => {
      if (!(await store.remove(db, userId, id))) throw deviceNotFound()
      await audit.recordIn(db, {
        action: 'trusted-devices.revoked',
        outcome: 'success',
        actor: { kind: 'user', userId },
        userId,
        request,
      })
    })
  }
