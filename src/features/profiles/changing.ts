import type { Clock } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Change, UserDetails, Users } from '../users/index.ts'
import type { FieldChanges } from './fields.ts'
import type { MakeRaster } from './raster.ts'
import type { ProfileStore } from './store.ts'

/** Changes of a person's profile. Each is one of the user, too: recorded, dated, and known to every process at once. */
export interface Changing {
  details(userId: string, details: UserDetails, by: Change): Promise<void>
  fields(userId: string, changes: FieldChanges, by: Change): Promise<void>
  /** Throws `profiles.picture_unreadable`, `profiles.picture_too_large` and `profiles.pictures_busy`. */
  putPicture(userId: string, upload: Buffer, by: Change): Promise<void>
  /** Whether there was one. */
  removePicture(userId: string, by: Change): Promise<boolean>
}

export interface ChangingDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly store: ProfileStore
  readonly clock: Clock
  readonly users: Pick<Users, 'update'>
  readonly makeRaster: MakeRaster
}

type Work<T> = (db: Parameters<Parameters<Storage['transaction']>[0]>[0]) => Promise<T>

export function openChanging({ storage, store, clock, users, makeRaster }: ChangingDependencies): Changing {
  /** The user first: his change holds the lock under which the changes of users follow each other. */
  const changing = async <T>(userId: string, by: Change, work: Work<T>): Promise<T> => {
    try {
      return await storage.transaction(async (db) => {
        await users.update(userId, {}, { ...by, db })
        return await work(db)
      })
    } finally {
      store.forget()
    }
  }

  return {
    details: async (userId, details, by) => void (await users.update(userId, details, by)),

    fields: (userId, changes, by) =>
      changing(userId, by, (db) => store.change(db, userId, { changes, at: clock.now() })),

    async putPicture(userId, upload, by) {
      const raster = await makeRaster(upload)
      await changing(userId, by, (db) => store.putPicture(db, userId, { raster, at: clock.now() }))
    },

    removePicture: (userId, by) => changing(userId, by, (db) => store.removePicture(db, userId)),
  }
}
