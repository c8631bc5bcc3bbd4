import type { AuthorizationDetail } from '../../kernel/authorization-details.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Consent, ConsentOwner, StoredConsent } from './consents.ts'

export const openConsentStore = (storage: Storage) => ({
  async find(
    userId: string,
    clientId: string,
    db: DatabaseTransaction = storage.db,
  ): Promise<Consent | undefined> {
    const row = await db.consent.findUnique({ where: { userId_clientId: { userId, clientId } } })
    return row === null ? undefined : consentOf(row)
  },

  /**
   * What it is once nobody is changing it: the lock waits for a transaction that narrows or removes the row. SQLite has one
   * writer at a time, and reads what is committed.
   */
  async settled({ userId, clientId }: ConsentOwner): Promise<Consent | undefined> {
    return await storage.transaction(async (db) => {
      if (storage.dialect === 'postgresql')
        await db.$queryRaw`
          SELECT 1 AS locked FROM consent WHERE user_id = ${userId} AND client_id = ${clientId} FOR SHARE`
      const row = await db.consent.findUnique({ where: { userId_clientId: { userId, clientId } } })
      return row === null ? undefined : consentOf(row)
    })
  },

  async list(userId: string): Promise<readonly StoredConsent[]> {
    const rows = await storage.db.consent.findMany({ where: { userId }, orderBy: { createdAt: 'asc' } })
    return rows.map((row) => ({ clientId: row.clientId, createdAt: row.createdAt, ...consentOf(row) }))
  },

  /** True where there was one. */
  remove: async (db: DatabaseTransaction, owner: ConsentOwner): Promise<boolean> =>
    (await db.consent.deleteMany({ where: owner })).count === 1,

  async save(db: DatabaseTransaction, owner: ConsentOwner, consent: Consent): Promise<void> {
    const columns = {
      scopes: JSON.stringify(consent.scopes),
      claims: JSON.stringify(consent.claims),
      resources: JSON.stringify(consent.resources),
      authorizationDetails: JSON.stringify(consent.authorizationDetails ?? []),
    }
    await db.consent.upsert({
      where: { userId_clientId: owner },
      create: { ...owner, ...columns },
      update: columns,
    })
  },

  /** Makes two changes of one consent follow each other: the second waits until the first is committed. */
  async lock(db: DatabaseTransaction, userId: string): Promise<void> {
    if (storage.dialect === 'postgresql')
      await db.$queryRaw`SELECT 1 AS locked FROM "user" WHERE id = ${userId} FOR UPDATE`
  },
})

const consentOf = (
  row: Record<'scopes' | 'claims' | 'resources' | 'authorizationDetails', string>,
): Consent => ({
  scopes: JSON.parse(row.scopes) as string[],
  claims: JSON.parse(row.claims) as string[],
  resources: JSON.parse(row.resources) as Record<string, string[]>,
  ...(row.authorizationDetails !== '[]' && {
    authorizationDetails: JSON.parse(row.authorizationDetails) as AuthorizationDetail[],
  }),
})
