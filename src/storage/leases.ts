import { randomUUID } from 'node:crypto'
import { after, type Clock } from '../kernel/clock.ts'
import { isUniqueViolation } from './errors.ts'
import type { Storage } from './storage.ts'

export interface Leases {
  take(name: string, lease: { readonly everySeconds: number; readonly seconds: number }): Promise<boolean>
  finish(name: string): Promise<void>
  /** Gives it back undone, so that it is tried again. */
  release(name: string): Promise<void>
}

/** One row a job, claimed by one conditional write; a holder that died loses it when its time is over. */
export function openLeases({ db }: Storage, clock: Clock): Leases {
  const holder = randomUUID()

  return {
    async take(name, { everySeconds, seconds }) {
      const now = clock.now()
      const lease = { holder, leasedUntil: after(now, seconds) }
      const { count } = await db.jobLease.updateMany({
        where: {
          name,
          leasedUntil: { lte: now },
          OR: [{ finishedAt: null }, { finishedAt: { lte: after(now, -everySeconds) } }],
        },
        data: lease,
      })
      if (count === 1) return true
      if ((await db.jobLease.findUnique({ where: { name } })) !== null) return false
      try {
        await db.jobLease.create({ data: { name, ...lease } })
        return true
      } catch (error) {
        if (isUniqueViolation(error)) return false
        throw error
      }
    },

    async finish(name) {
      const now = clock.now()
      await db.jobLease.updateMany({ where: { name, holder }, data: { leasedUntil: now, finishedAt: now } })
    },

    async release(name) {
      await db.jobLease.updateMany({ where: { name, holder }, data: { leasedUntil: clock.now() } })
    },
  }
}
