import { hashSecret } from '../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../storage/storage.ts'

/** What ends before its time, and everything that came from it with it. */
export interface Revocation {
  removeByGrant(model: string, grantId: string): Promise<void>
  /** Ends a grant and every code and token that came from it. */
  endGrant(grantId: string): Promise<void>
  /** Everything that serves a user: sessions, tokens, codes, pending interactions. In the transaction of its cause. */
  endEverythingOfUser(db: DatabaseTransaction, userId: string): Promise<void>
  endEverythingOfClient(db: DatabaseTransaction, clientId: string): Promise<void>
}

export const openRevocation = (storage: Storage): Revocation => ({
  async removeByGrant(model, grantId) {
    await storage.db.artefact.deleteMany({ where: { model, grantId } })
  },

  async endGrant(grantId) {
    await storage.transaction(async (transaction) => {
      await transaction.artefact.deleteMany({ where: { model: 'Grant', id: hashSecret(grantId) } })
      await transaction.artefact.deleteMany({ where: { grantId, model: { not: 'Interaction' } } })
    })
  },

  async endEverythingOfUser(transaction, userId) {
    await transaction.artefact.deleteMany({ where: { userId } })
  },

  async endEverythingOfClient(transaction, clientId) {
    await transaction.artefact.deleteMany({ where: { clientId } })
  },
})
