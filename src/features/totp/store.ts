import { isId, type UserId } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'
import type { Authenticator } from './totp.ts'

/** With what its codes are checked by. */
export interface KeyedAuthenticator {
  readonly id: string
  readonly sealedSecret: string
}

export interface NewAuthenticator extends KeyedAuthenticator {
  readonly userId: UserId
  readonly name: string
  /** The time step of the code that confirmed it. */
  readonly lastStep: number
  readonly createdAt: Date
}

/** A code that was found right, and when. */
export interface Use {
  readonly id: string
  readonly userId: UserId
  readonly step: number
  readonly at: Date
}

const shown = { id: true, name: true, createdAt: true, lastUsedAt: true } as const

export const openTotpStore = ({ db, dialect }: Storage) => ({
  list: (userId: string): Promise<readonly Authenticator[]> =>
    db.totpAuthenticator.findMany({
      where: { userId },
      select: shown,
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    }),

  find: async (userId: string, id: string): Promise<Authenticator | null> =>
    isId(id) ? await db.totpAuthenticator.findFirst({ where: { id, userId }, select: shown }) : null,

  keyed: (userId: string): Promise<readonly KeyedAuthenticator[]> =>
    db.totpAuthenticator.findMany({ where: { userId }, select: { id: true, sealedSecret: true } }),

  count: (userId: string, within: DatabaseTransaction = db): Promise<number> =>
    within.totpAuthenticator.count({ where: { userId } }),

  /** Whether there is one, and was already then. */
  async has(userId: string, then?: Date): Promise<boolean> {
    const where = { userId, ...(then && { createdAt: { lt: then } }) }
    return (await db.totpAuthenticator.count({ where })) > 0
  },

  /** Lets changes of one user's authenticators happen one after the other. */
  lock: (within: DatabaseTransaction, userId: string): Promise<void> => lockUser(dialect, within, userId),

  async insert(within: DatabaseTransaction, authenticator: NewAuthenticator): Promise<void> {
    await within.totpAuthenticator.createMany({ data: [authenticator] })
  },

  /**
   * RFC 6238 §5.2: true for exactly one of those who use a step, and never for a step at or before the last one. Nor is it
   * true for a user who was disabled meanwhile.
   */
  async use({ id, userId, step, at }: Use): Promise<boolean> {
    const { count } = await db.totpAuthenticator.updateMany({
      where: { id, userId, lastStep: { lt: step }, user: { disabledAt: null } },
      data: { lastStep: step, lastUsedAt: at },
    })
    return count === 1
  },

  /** False where the user has no such authenticator. */
  async rename(within: DatabaseTransaction, { userId, id, name }: Renaming): Promise<boolean> {
    if (!isId(id)) return false
    return (await within.totpAuthenticator.updateMany({ where: { id, userId }, data: { name } })).count === 1
  },

  /** As `rename`. */
  async remove(within: DatabaseTransaction, userId: string, id: string): Promise<boolean> {
    return (await within.totpAuthenticator.deleteMany({ where: { id, userId } })).count === 1
  },
})
export type TotpStore = ReturnType<typeof openTotpStore>

interface Renaming {
  readonly userId: string
  readonly id: string
  readonly name: string
}
