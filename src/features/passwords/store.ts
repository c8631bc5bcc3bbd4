import type { UserId } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'

const batch = 1_000

const openStoredPasswords = ({ db }: Storage) => ({
  async findHash(userId: string): Promise<string | undefined> {
    return (await db.password.findUnique({ where: { userId }, select: { hash: true } }))?.hash
  },

  /** Whether `hash` is still the password of a user who is still active. */
  async isCurrent(userId: string, hash: string): Promise<boolean> {
    return (await db.password.count({ where: { userId, hash, user: { disabledAt: null } } })) === 1
  },

  async set(
    within: DatabaseTransaction,
    userId: string,
    { hash, at }: { hash: string; at: Date },
  ): Promise<void> {
    const data = { hash, changedAt: at }
    await within.password.upsert({ where: { userId }, create: { userId, ...data }, update: data })
  },

  /** The same password, hashed anew; false, and nothing happens, when it was changed meanwhile. */
  async replaceHash(userId: string, before: string, hash: string): Promise<boolean> {
    return (await db.password.updateMany({ where: { userId, hash: before }, data: { hash } })).count === 1
  },
})

const openStoredLinks = ({ db }: Storage) => ({
  async insertLink(
    within: DatabaseTransaction,
    link: {
      readonly tokenHash: string
      readonly userId: string
      readonly createdAt: Date
      readonly expiresAt: Date
    },
  ): Promise<void> {
    await within.passwordLink.createMany({ data: [link] })
  },

  /** Whose link it is, if it can still be used. */
  async findLink(tokenHash: string, at: Date): Promise<UserId | undefined> {
    const link = await db.passwordLink.findFirst({ where: usable(tokenHash, at), select: { userId: true } })
    return link === null ? undefined : (link.userId as UserId)
  },

  /** True for exactly one of those who try, and only for the link of this user. */
  async consumeLink(
    within: DatabaseTransaction,
    link: { tokenHash: string; userId: string; at: Date },
  ): Promise<boolean> {
    const { tokenHash, userId, at } = link
    const where = { ...usable(tokenHash, at), userId }
    return (await within.passwordLink.updateMany({ where, data: { consumedAt: at } })).count === 1
  },

  async endLinks(within: DatabaseTransaction, userId: string, at: Date): Promise<void> {
    await within.passwordLink.updateMany({ where: { userId, consumedAt: null }, data: { consumedAt: at } })
  },

  /** Removes at most one batch of links from before `at`; true when more may be left. */
  async removeExpired(at: Date): Promise<boolean> {
    const where = { expiresAt: { lte: at } }
    const rows = await db.passwordLink.findMany({ where, select: { tokenHash: true }, take: batch })
    await db.passwordLink.deleteMany({ where: { tokenHash: { in: rows.map(({ tokenHash }) => tokenHash) } } })
    return rows.length === batch
  },
})

const usable = (tokenHash: string, at: Date) => ({
  tokenHash,
  consumedAt: null,
  expiresAt: { gt: at },
  user: { disabledAt: null },
})

export const openPasswordStore = (storage: Storage) => ({
  ...openStoredPasswords(storage),
  ...openStoredLinks(storage),
})
export type PasswordStore = ReturnType<typeof openPasswordStore>
