import { type ConsentDependencies, type Consents, narrowed, notConnected } from './consents.ts'
import type { openConsentStore } from './store.ts'

interface Dependencies extends Pick<ConsentDependencies, 'storage' | 'audit' | 'endClientOfUser'> {
  readonly store: ReturnType<typeof openConsentStore>
}

/** What was allowed is taken back, in part or as a whole, together with what came of it. */
export const takingBack = ({
  storage,
  audit,
  endClientOfUser,
  store,
}: Dependencies): Pick<Consents, 'narrow' | 'withdraw'> => ({
  async narrow(owner, kept, by) {
    const { userId, clientId } = owner
    await storage.transaction(async (db) => {
      await store.lock(db, userId)
      const before = await store.find(userId, clientId, db)
      if (before === undefined) throw notConnected()
      const consent = narrowed(before, kept)
      await store.save(db, owner, consent)
      await endClientOfUser(db, userId, clientId)
      await audit.recordIn(db, {
        action: 'consents.narrowed',
        outcome: 'success',
        ...owner,
        ...by,
        detail: { scopes: consent.scopes, resources: Object.keys(consent.resources) },
      })
    })
  },

  async withdraw(owner, by) {
    const { userId, clientId } = owner
    await storage.transaction(async (db) => {
      await store.lock(db, userId)
      // The consent first: who makes a grant of it at this moment finds it gone, or is ended with the rest.
      const remembered = await store.remove(db, owner)
      const held = await endClientOfUser(db, userId, clientId)
      if (!remembered && !held) throw notConnected()
      await audit.recordIn(db, { action: 'consents.withdrawn', outcome: 'success', ...owner, ...by })
    })
  },
})
