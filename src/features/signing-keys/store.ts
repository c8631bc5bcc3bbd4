import { isUniqueViolation } from '../../storage/errors.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Algorithm, KeyState, SigningKey } from './signing-keys.ts'

export interface StoredKey extends SigningKey {
  readonly publicJwk: string
  readonly sealedJwk: string
}

export interface StoredSecret {
  readonly name: string
  readonly generation: number
  readonly sealed: string
}

export const openSigningKeyStore = (storage: Storage) => ({
  async listKeys(db: DatabaseTransaction = storage.db): Promise<readonly StoredKey[]> {
    const rows = await db.signingKey.findMany({ orderBy: [{ createdAt: 'asc' }, { kid: 'asc' }] })
    return rows.map((row) => ({
      ...row,
      algorithm: row.algorithm as Algorithm,
      state: row.state as KeyState,
      activatedAt: row.activatedAt ?? undefined,
      retiredAt: row.retiredAt ?? undefined,
    }))
  },

  async insertKey(db: DatabaseTransaction, key: StoredKey): Promise<void> {
    await db.signingKey.create({ data: key })
  },

  /** True when this call made the move; false when another process had made it. */
  async activate(db: DatabaseTransaction, kid: string, at: Date): Promise<boolean> {
    const { count } = await db.signingKey.updateMany({
      where: { kid, state: 'next' },
      data: { state: 'active', activatedAt: at },
    })
    return count === 1
  },

  async retire(db: DatabaseTransaction, kid: string, at: Date): Promise<void> {
    await db.signingKey.updateMany({
      where: { kid, state: 'active' },
      data: { state: 'retired', retiredAt: at },
    })
  },

  async removeKey(db: DatabaseTransaction, kid: string): Promise<void> {
    await db.signingKey.deleteMany({ where: { kid, state: { not: 'active' } } })
  },

  /** Newest first. */
  async listSecrets(name: string): Promise<readonly StoredSecret[]> {
    return await storage.db.serverSecret.findMany({ where: { name }, orderBy: { generation: 'desc' } })
  },

  /** False when another process has just written this generation. */
  async insertSecret(secret: StoredSecret): Promise<boolean> {
    try {
      await storage.transaction(async (db) => {
        await db.serverSecret.create({ data: secret })
        await storage.touch(db, 'keys')
      })
      return true
    } catch (error) {
      if (isUniqueViolation(error)) return false
      throw error
    }
  },

  async removeSecretsBefore(name: string, generation: number): Promise<void> {
    await storage.db.serverSecret.deleteMany({ where: { name, generation: { lt: generation } } })
  },
})

export type SigningKeyStore = ReturnType<typeof openSigningKeyStore>
