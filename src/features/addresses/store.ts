import type { UserId } from '../../kernel/ids.ts'
import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'

/** A mailed proof that can still be used. */
export interface StoredProof {
  readonly tokenHash: string
  readonly userId: UserId
  readonly email: string
  /** His address when he asked; the proof counts only for as long as it is. */
  readonly previousEmail: string | null
  readonly sessionUid: string | null
  readonly createdAt: Date
  readonly expiresAt: Date
}

const usable = (at: Date) => ({ consumedAt: null, expiresAt: { gt: at } })
const toProof = ({ userId, ...row }: Omit<StoredProof, 'userId'> & { userId: string }): StoredProof => ({
  ...row,
  userId: userId as UserId,
})

/** Every change of proofs waits for the user first, so that none waits for another that waits for it. */
export const openAddressStore = ({ db, dialect }: Pick<Storage, 'db' | 'dialect'>) => ({
  async insert(within: DatabaseTransaction, proof: StoredProof): Promise<void> {
    await within.addressProof.createMany({ data: [proof] })
  },

  async findByToken(tokenHash: string, at: Date): Promise<StoredProof | undefined> {
    const row = await db.addressProof.findFirst({
      where: { tokenHash, ...usable(at), user: { disabledAt: null } },
      omit: { consumedAt: true },
    })
    return row === null ? undefined : toProof(row)
  },

  async findOfUser(userId: string, at: Date): Promise<StoredProof | undefined> {
    const row = await db.addressProof.findFirst({
      where: { userId, ...usable(at) },
      orderBy: { createdAt: 'desc' },
      omit: { consumedAt: true },
    })
    return row === null ? undefined : toProof(row)
  },

  /** True for exactly one of those who try, and only while the user is active and has the address he had. */
  async consume(
    within: DatabaseTransaction,
    { tokenHash, userId, previousEmail }: StoredProof,
    at: Date,
  ): Promise<boolean> {
    await lockUser(dialect, within, userId)
    const user = { disabledAt: null, email: previousEmail }
    const where = { tokenHash, userId, ...usable(at), user }
    return (await within.addressProof.updateMany({ where, data: { consumedAt: at } })).count === 1
  },

  /** How many could still be used. */
  async endOfUser(within: DatabaseTransaction, userId: string, at: Date): Promise<number> {
    await lockUser(dialect, within, userId)
    const { count } = await within.addressProof.updateMany({
      where: { userId, ...usable(at) },
      data: { consumedAt: at },
    })
    return count
  },

  /** Those for another address than the one he had when he asked. */
  async endChangesOfUser(within: DatabaseTransaction, userId: string, at: Date): Promise<void> {
    await lockUser(dialect, within, userId)
    const { previousEmail } = db.addressProof.fields
    // Said of both, as SQL's comparison with NULL is not true.
    const OR = [{ previousEmail: null }, { email: { not: { equals: previousEmail } } }]
    const where = { userId, ...usable(at), OR }
    await within.addressProof.updateMany({ where, data: { consumedAt: at } })
  },

  /** Removes at most one batch of those from before `at`; true when more may be left. */
  removeExpired(at: Date): Promise<boolean> {
    const where = { expiresAt: { lte: at } }
    return removeBatch(
      (take) => db.addressProof.findMany({ where, select: { tokenHash: true }, take }),
      (rows) =>
        db.addressProof.deleteMany({ where: { tokenHash: { in: rows.map(({ tokenHash }) => tokenHash) } } }),
    )
  },
})
export type AddressStore = ReturnType<typeof openAddressStore>
