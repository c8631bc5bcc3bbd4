import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Consent, ConsentOwner } from './consents.ts'

export const openConsentStore = (storage: Storage) => ({
  async find(
    userId: string,
    clientId: string,
    db: DatabaseTransaction = storage.db,
  ): Promise<Consent | undefined> {
    const row = await db.consent.findUnique({ where: { userId_clientId: { userId, clientId } } })
    if (row === null) return undefined
    return {
      scopes: JSON.parse(row.scopes) as string[],
      claims: JSON.parse(row.claims) as string[],
      resources: JSON.parse(row.resources) as Record<string, string[]>,
    }
  },

  async save(db: DatabaseTransaction, owner: ConsentOwner, consent: Consent): Promise<void> {
    const columns = {
      scopes: JSON.stringify(consent.scopes),
      claims: JSON.stringify(consent.claims),
      resources: JSON.stringify(consent.resources),
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
