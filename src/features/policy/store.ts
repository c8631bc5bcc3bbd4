import { isUniqueViolation } from '../../storage/errors.ts'
import type { Storage } from '../../storage/storage.ts'

export const openPolicyStore = ({ db }: Storage) => ({
  /** Since when the person has known; `at` where this is the first time. */
  async startGrace(userId: string, at: Date): Promise<Date> {
    const known = await db.enrolmentGrace.findUnique({ where: { userId } })
    if (known !== null) return known.startedAt
    try {
      await db.enrolmentGrace.create({ data: { userId, startedAt: at } })
      return at
    } catch (error) {
      if (!isUniqueViolation(error)) throw error
      return (await db.enrolmentGrace.findUnique({ where: { userId } }))?.startedAt ?? at
    }
  },

  findGrace: async (userId: string): Promise<Date | undefined> =>
    (await db.enrolmentGrace.findUnique({ where: { userId } }))?.startedAt,
})
