import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'
import type { Acceptance } from './terms.ts'

export const openTermsStore = ({ db, dialect }: Storage) => ({
  async has(userId: string, version: string): Promise<boolean> {
    return (await db.termsAcceptance.count({ where: { userId, version } })) === 1
  },

  /** True where it was not accepted before, for exactly one of those who accept it at the same time. */
  async insert(
    within: DatabaseTransaction,
    { userId, version }: Acceptance,
    acceptedAt: Date,
  ): Promise<boolean> {
    await lockUser(dialect, within, userId)
    if ((await within.termsAcceptance.count({ where: { userId, version } })) > 0) return false
    await within.termsAcceptance.createMany({ data: [{ userId, version, acceptedAt }] })
    return true
  },

  list: (userId: string): Promise<readonly { readonly version: string; readonly acceptedAt: Date }[]> =>
    db.termsAcceptance.findMany({
      where: { userId },
      select: { version: true, acceptedAt: true },
      orderBy: { acceptedAt: 'asc' },
    }),
})

export type TermsStore = ReturnType<typeof openTermsStore>
