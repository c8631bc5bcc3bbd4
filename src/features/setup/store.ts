import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'

/** There is one row, which every new link overwrites. */
const id = 'setup'

export const openSetupStore = ({ db }: Storage) => ({
  async replace(
    within: DatabaseTransaction,
    link: { readonly tokenHash: string; readonly createdAt: Date; readonly expiresAt: Date },
  ): Promise<void> {
    const data = { ...link, consumedAt: null }
    await within.setupLink.upsert({ where: { id }, create: { id, ...data }, update: data })
  },

  async find(
    tokenHash: string,
  ): Promise<{ readonly expiresAt: Date; readonly consumedAt: Date | null } | undefined> {
    const where = { id, tokenHash }
    return (
      (await db.setupLink.findFirst({ where, select: { expiresAt: true, consumedAt: true } })) ?? undefined
    )
  },

  /** True for exactly one of those who try. */
  async consume(within: DatabaseTransaction, tokenHash: string, at: Date): Promise<boolean> {
    const where = { id, tokenHash, consumedAt: null, expiresAt: { gt: at } }
    return (await within.setupLink.updateMany({ where, data: { consumedAt: at } })).count === 1
  },
})

export type SetupStore = ReturnType<typeof openSetupStore>
