import type { UserId } from '../../kernel/ids.ts'
import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'
import { type LinkPurpose, linkPurposes } from './passwords.ts'

const openStoredPasswords = ({ db, dialect }: Storage) => ({
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

  /** Since when it is the password of the user; `undefined` where he has none. */
  async findChange(userId: string): Promise<Date | undefined> {
    const row = await db.password.findUnique({ where: { userId }, select: { changedAt: true } })
    return row?.changedAt
  },

  /** In place of the one that was `before`, or of none; false, and nothing happens, where that has changed. */
  async change(
    within: DatabaseTransaction,
    userId: string,
    { before, hash, at }: { before: string | undefined; hash: string; at: Date },
  ): Promise<boolean> {
    const data = { hash, changedAt: at }
    // As for every change of a way to sign in: the user first.
    await lockUser(dialect, within, userId)
    if (before !== undefined)
      return (await within.password.updateMany({ where: { userId, hash: before }, data })).count === 1
    if ((await within.password.count({ where: { userId } })) > 0) return false
    await within.password.createMany({ data: [{ userId, ...data }] })
    return true
  },

  lock: (within: DatabaseTransaction, userId: string): Promise<void> => lockUser(dialect, within, userId),

  /** False where there was none. */
  remove: async (within: DatabaseTransaction, userId: string): Promise<boolean> =>
    (await within.password.deleteMany({ where: { userId } })).count === 1,

  /** The same password, hashed anew; false, and nothing happens, when it was changed meanwhile. */
  async replaceHash(userId: string, before: string, hash: string): Promise<boolean> {
    return (await db.password.updateMany({ where: { userId, hash: before }, data: { hash } })).count === 1
  },
})

/** Every change of links waits for the user first, so that none waits for another that waits for it. */
const openStoredLinks = ({ db, dialect }: Storage) => ({
  async insertLink(
    within: DatabaseTransaction,
    link: {
      readonly tokenHash: string
      readonly userId: string
      readonly purpose: LinkPurpose
      /** Where it is mailed, if it is. */
      readonly email: string | null
      readonly createdAt: Date
      readonly expiresAt: Date
    },
  ): Promise<void> {
    await within.passwordLink.createMany({ data: [link] })
  },

  /** Whose link it is, and for what, if it can still be used. */
  async findLink(tokenHash: string, at: Date): Promise<StoredLink | undefined> {
    const where = { ...usable(tokenHash, at), purpose: { in: [...linkPurposes] } }
    const link = await db.passwordLink.findFirst({
      where,
      select: { userId: true, purpose: true, email: true, user: { select: { email: true } } },
    })
    if (link === null || (link.email !== null && link.email !== link.user.email)) return undefined
    const { user: _, ...found } = link
    return found as StoredLink
  },

  /** True for exactly one of those who try, only for the link of this user and purpose, and where it was mailed to him. */
  async consumeLink(
    within: DatabaseTransaction,
    link: StoredLink & { readonly tokenHash: string; readonly at: Date },
  ): Promise<boolean> {
    const { tokenHash, userId, purpose, email, at } = link
    await lockUser(dialect, within, userId)
    const user = { disabledAt: null, ...(email !== null && { email }) }
    const where = { ...usable(tokenHash, at), userId, purpose, email, user }
    return (await within.passwordLink.updateMany({ where, data: { consumedAt: at } })).count === 1
  },

  /** How many of this purpose were made for a user since then, ended ones included. */
  countLinks: (userId: string, purpose: LinkPurpose, since: Date): Promise<number> =>
    db.passwordLink.count({ where: { userId, purpose, createdAt: { gt: since } } }),

  async endLinks(within: DatabaseTransaction, userId: string, at: Date): Promise<void> {
    await lockUser(dialect, within, userId)
    await within.passwordLink.updateMany({ where: { userId, consumedAt: null }, data: { consumedAt: at } })
  },

  /** Removes at most one batch of links from before `at`; true when more may be left. */
  removeExpired(at: Date): Promise<boolean> {
    const where = { expiresAt: { lte: at } }
    return removeBatch(
      (take) => db.passwordLink.findMany({ where, select: { tokenHash: true }, take }),
      (rows) =>
        db.passwordLink.deleteMany({ where: { tokenHash: { in: rows.map(({ tokenHash }) => tokenHash) } } }),
    )
  },
})

export interface StoredLink {
  readonly userId: UserId
  readonly purpose: LinkPurpose
  readonly email: string | null
}

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
