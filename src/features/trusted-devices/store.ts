import { newId } from '../../kernel/ids.ts'
import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'
import type { TrustedDevice } from './trusted-devices.ts'

export interface NewDevice {
  readonly userId: string
  readonly deviceHash: string
  readonly previousHash: string
  readonly userAgent: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** Trusted and not expired; both ends count, as the time may have been shortened since. */
export interface Trusted {
  readonly createdAt: { readonly gt: Date }
  readonly expiresAt: { readonly gt: Date }
}

const shown = {
  id: true,
  deviceHash: true,
  userAgent: true,
  createdAt: true,
  lastUsedAt: true,
  expiresAt: true,
} as const

export const openTrustedDeviceStore = ({ db, dialect }: Storage) => ({
  /** Notes a use; false where the browser is not trusted. */
  async use(
    { userId, deviceHash }: { readonly userId: string; readonly deviceHash: string },
    trusted: Trusted,
    at: Date,
  ): Promise<boolean> {
    const where = { userId, deviceHash, ...trusted }
    return (await db.trustedDevice.updateMany({ where, data: { lastUsedAt: at } })).count === 1
  },

  /** Whoever forgets the devices of the user waits until this is done, or it waits for him. */
  lock: (within: DatabaseTransaction, userId: string): Promise<void> => lockUser(dialect, within, userId),

  /** Puts it in the place of what this browser was for this person; what others trust in it goes along to its new name. */
  async put(within: DatabaseTransaction, device: NewDevice): Promise<void> {
    const { userId, deviceHash, previousHash } = device
    await within.trustedDevice.deleteMany({
      where: { userId, OR: [{ deviceHash: previousHash }, { previousHash }] },
    })
    await within.trustedDevice.updateMany({ where: { deviceHash: previousHash }, data: { deviceHash } })
    await within.trustedDevice.create({ data: { id: newId(), ...device }, select: { id: true } })
  },

  list: (userId: string, trusted: Trusted): Promise<TrustedDevice[]> =>
    db.trustedDevice.findMany({
      where: { userId, ...trusted },
      select: shown,
      orderBy: { createdAt: 'desc' },
    }),

  /** True for the one call that removes it. */
  remove: async (within: DatabaseTransaction, userId: string, id: string): Promise<boolean> =>
    (await within.trustedDevice.deleteMany({ where: { userId, id } })).count === 1,

  async forget(within: DatabaseTransaction, userId: string, deviceHash: string): Promise<void> {
    await within.trustedDevice.deleteMany({ where: { userId, deviceHash } })
  },

  async forgetOthers(
    within: DatabaseTransaction,
    userId: string,
    deviceHash: string | undefined,
  ): Promise<void> {
    await within.trustedDevice.deleteMany({
      where: { userId, ...(deviceHash !== undefined && { deviceHash: { not: deviceHash } }) },
    })
  },

  /** Removes at most one batch of those that have expired; true when more may be left. */
  removeExpired(at: Date): Promise<boolean> {
    const where = { expiresAt: { lte: at } }
    return removeBatch(
      (take) => db.trustedDevice.findMany({ where, select: { id: true }, take }),
      (rows) => db.trustedDevice.deleteMany({ where: { ...where, id: { in: rows.map(({ id }) => id) } } }),
    )
  },
})
export type TrustedDeviceStore = ReturnType<typeof openTrustedDeviceStore>
