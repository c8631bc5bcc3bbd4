import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'

export interface StoredToken {
  readonly id: string
  readonly label: string | undefined
  readonly policy: string
  /** Unlimited where `undefined`. */
  readonly usesLeft: number | undefined
  readonly expiresAt: Date
  readonly createdAt: Date
}

export interface StoredRegistration {
  readonly clientId: string
  readonly policy: string
}

export type RegistrationStore = ReturnType<typeof openRegistrationStore>

export const openRegistrationStore = (storage: Storage) => ({
  async insertToken(db: DatabaseTransaction, token: StoredToken, hash: string): Promise<void> {
    const { label = null, usesLeft = null, ...columns } = token
    await db.initialAccessToken.createMany({ data: [{ ...columns, label, usesLeft, hash }] })
  },

  async listTokens(): Promise<readonly StoredToken[]> {
    const rows = await storage.db.initialAccessToken.findMany({
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    })
    return rows.map(tokenOf)
  },

  async removeToken(db: DatabaseTransaction, id: string): Promise<boolean> {
    return (await db.initialAccessToken.deleteMany({ where: { id } })).count === 1
  },

  async findToken(hash: string): Promise<StoredToken | undefined> {
    const row = await storage.db.initialAccessToken.findUnique({ where: { hash } })
    return row === null ? undefined : tokenOf(row)
  },

  /** Counts a use; false where none is left, it has expired or is revoked. */
  async useToken(db: DatabaseTransaction, { id, usesLeft }: StoredToken, now: Date): Promise<boolean> {
    // Without a bound it stays null: nothing less than nothing is counted.
    const still = { id, expiresAt: { gt: now }, ...(usesLeft !== undefined && { usesLeft: { gt: 0 } }) }
    const data = usesLeft === undefined ? { usesLeft: null } : { usesLeft: { decrement: 1 } }
    const changed = await db.initialAccessToken.updateMany({ where: still, data })
    return changed.count === 1
  },

  async removeExpired(now: Date): Promise<void> {
    await storage.db.initialAccessToken.deleteMany({ where: { expiresAt: { lte: now } } })
  },

  countRegistrations: (db: DatabaseTransaction): Promise<number> => count(storage, db),

  async insertRegistration(
    db: DatabaseTransaction,
    registration: StoredRegistration & {
      readonly tokenHash: string
      readonly admittedBy: string | undefined
      readonly createdAt: Date
    },
  ): Promise<void> {
    const { admittedBy = null, ...columns } = registration
    await db.clientRegistration.createMany({ data: [{ ...columns, admittedBy }] })
  },

  async findRegistration(tokenHash: string): Promise<StoredRegistration | undefined> {
    return (await storage.db.clientRegistration.findUnique({ where: { tokenHash } })) ?? undefined
  },

  /** Replaces the token that manages a client; false where another request did before. */
  async rotate(
    db: DatabaseTransaction,
    clientId: string,
    { from, to }: { readonly from: string; readonly to: string },
  ): Promise<boolean> {
    const changed = await db.clientRegistration.updateMany({
      where: { clientId, tokenHash: from },
      data: { tokenHash: to },
    })
    return changed.count === 1
  },
})

/** Those that come at once are counted one after another, until the transaction ends. SQLite has one writer anyway. */
async function count({ dialect }: Storage, db: DatabaseTransaction): Promise<number> {
  if (dialect === 'postgresql')
    await db.$queryRaw`SELECT pg_advisory_xact_lock(hashtext('client_registration'))::text AS locked`
  return await db.clientRegistration.count()
}

const tokenOf = (row: {
  id: string
  label: string | null
  policy: string
  usesLeft: number | null
  expiresAt: Date
  createdAt: Date
}): StoredToken => ({
  id: row.id,
  label: row.label ?? undefined,
  policy: row.policy,
  usesLeft: row.usesLeft ?? undefined,
  expiresAt: row.expiresAt,
  createdAt: row.createdAt,
})
