import { after } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import { endGrants, removeAll } from '../grants/ending.ts'
import {
  openSessionEndings,
  type SessionEndingDependencies,
  type SessionEndings,
} from '../sessions/ending.ts'
import type { settings } from '../settings.ts'

/** What ends before its time, and everything that came from it with it. */
export interface Revocation extends SessionEndings {
  removeByGrant(model: string, grantId: string): Promise<void>
  /** Ends a grant and every code and token that came from it. */
  endGrant(grantId: string): Promise<void>
  /**
   * Every grant that a user has given a client, what came from them, and pending interactions of his for it. False where
   * there was no grant.
   */
  endClientOfUser(db: DatabaseTransaction, userId: string, clientId: string): Promise<boolean>
  endEverythingOfClient(db: DatabaseTransaction, clientId: string): Promise<void>
  /** When everything of a client was last ended; tokens that are stored nowhere and are older have ended, too. */
  clientEndedAt(clientId: string): Promise<Date | undefined>
}

export interface RevocationDependencies extends SessionEndingDependencies {
  readonly settings: SessionEndingDependencies['settings'] &
    Pick<SettingValues<typeof settings>, 'accessTokenMaximumSeconds'>
}

const clientEnd = 'ClientEnd'

/** What is stored of the client goes; a mark that lasts as long as any of its JWT access tokens ends those. */
const endingClient = ({
  storage,
  clock,
  settings,
}: RevocationDependencies): Pick<Revocation, 'endEverythingOfClient' | 'clientEndedAt'> => ({
  async endEverythingOfClient(db, clientId) {
    await removeAll(db, { clientId })
    const now = clock.now()
    const mark = {
      payload: JSON.stringify({ endedAt: now.getTime() }),
      expiresAt: after(now, settings.accessTokenMaximumSeconds),
    }
    const key = { model: clientEnd, id: hashSecret(clientId) }
    await db.artefact.upsert({
      where: { model_id: key },
      create: { ...key, ...mark, createdAt: now },
      update: mark,
    })
  },

  async clientEndedAt(clientId) {
    const where = { model_id: { model: clientEnd, id: hashSecret(clientId) } }
    const row = await storage.db.artefact.findUnique({ where, select: { payload: true } })
    return row === null ? undefined : new Date((JSON.parse(row.payload) as { endedAt: number }).endedAt)
  },
})

export const openRevocation = (dependencies: RevocationDependencies): Revocation => {
  const { storage } = dependencies

  return {
    async removeByGrant(model, grantId) {
      await storage.db.artefact.deleteMany({ where: { model, grantId } })
    },

    endGrant: (grantId) => storage.transaction((db) => endGrants(db, [grantId])),
    ...openSessionEndings(dependencies),
    endClientOfUser: async (db, userId, clientId) => (await removeAll(db, { userId, clientId })) > 0,
    ...endingClient(dependencies),
  }
}
