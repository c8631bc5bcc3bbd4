import type { DatabaseTransaction } from '../../storage/storage.ts'

/** Whom to tell, and how. */
export interface Owner {
  readonly email: string | null
  readonly locale: string | null
  readonly zoneinfo: string | null
}

/** Within the transaction of the change: on SQLite everything outside would wait for its end. */
export const findOwner = (db: DatabaseTransaction, id: string): Promise<Owner | null> =>
  db.user.findUnique({ where: { id }, select: { email: true, locale: true, zoneinfo: true } })
