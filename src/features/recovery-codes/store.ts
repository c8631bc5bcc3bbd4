import type { UserId } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'
import type { CodeCount } from './recovery-codes.ts'

export interface NewSet {
  readonly userId: UserId
  readonly hashes: readonly string[]
  readonly createdAt: Date
}

export const openRecoveryCodeStore = ({ db, dialect }: Storage) => ({
  async count(userId: string, within: DatabaseTransaction = db): Promise<CodeCount> {
    const codes = await within.recoveryCode.findMany({
      where: { userId },
      select: { createdAt: true, usedAt: true },
    })
    const left = codes.filter(({ usedAt }) => usedAt === null).length
    return { total: codes.length, left, createdAt: codes[0]?.createdAt }
  },

  /** Instants of use, for the copy that a person may ask for. */
  uses: (userId: string): Promise<readonly { readonly createdAt: Date; readonly usedAt: Date | null }[]> =>
    db.recoveryCode.findMany({
      where: { userId },
      select: { createdAt: true, usedAt: true },
      orderBy: { usedAt: 'asc' },
    }),

  /** True for exactly one of those who use a code, only for its owner, and only while he is not disabled. */
  async use(
    within: DatabaseTransaction,
    { userId, hash, at }: { readonly userId: UserId; readonly hash: string; readonly at: Date },
  ): Promise<boolean> {
    const { count } = await within.recoveryCode.updateMany({
      where: { userId, hash, usedAt: null, user: { disabledAt: null } },
      data: { usedAt: at },
    })
    return count === 1
  },

  /** Puts the set in the place of every earlier one. Two at the same time happen one after the other. */
  async replace(within: DatabaseTransaction, { userId, hashes, createdAt }: NewSet): Promise<void> {
    await lockUser(dialect, within, userId)
    await within.recoveryCode.deleteMany({ where: { userId } })
    await within.recoveryCode.createMany({ data: hashes.map((hash) => ({ userId, hash, createdAt })) })
  },

  /** How many codes that could still be used are gone. */
  async remove(within: DatabaseTransaction, userId: string): Promise<number> {
    const left = await within.recoveryCode.deleteMany({ where: { userId, usedAt: null } })
    await within.recoveryCode.deleteMany({ where: { userId } })
    return left.count
  },
})
export type RecoveryCodeStore = ReturnType<typeof openRecoveryCodeStore>
