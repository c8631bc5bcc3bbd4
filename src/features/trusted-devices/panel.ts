import { hashSecret, isId } from '../../kernel/ids.ts'
import type { Panel } from '../feature.ts'
import { deviceNotFound, type TrustedDeviceDependencies, type TrustedDevices } from './trusted-devices.ts'

type Dependencies = Pick<TrustedDeviceDependencies, 'describeBrowser'> & {
  readonly trustedDevices: TrustedDevices
}

/** The browsers that a person trusts, on the page of his devices; nothing where nobody can trust any and none is left. */
export const trustedDevicesPanel = ({ trustedDevices, describeBrowser }: Dependencies): Panel => ({
  name: 'trusted-devices',
  page: 'devices',
  order: 20,

  async show({ userId, device }) {
    const own = device === undefined ? undefined : hashSecret(device)
    const found = await trustedDevices.list(userId)
    if (found.length === 0) return undefined
    const devices = await Promise.all(
      found.map(async ({ id, deviceHash, userAgent, createdAt, lastUsedAt, expiresAt }) => ({
        id,
        own: deviceHash === own,
        device: await describeBrowser(userAgent),
        createdAt,
        ...(lastUsedAt !== null && { lastUsedAt }),
        expiresAt,
      })),
    )
    return { template: 'trusted-devices/panel', model: { devices } }
  },

  acts: {
    revoke: {
      async run({ userId, request }, { device = '' }) {
        if (!isId(device)) throw deviceNotFound()
        await trustedDevices.revoke(userId, device, request)
        return { notice: { key: 'trusted-devices.revoked' } }
      },
    },
  },
})
