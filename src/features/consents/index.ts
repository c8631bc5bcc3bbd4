/**
 * Owns what each person has allowed each client, remembered beyond sessions.
 * Does not own grants: those belong to one session each and are the provider's; they are made from what is remembered.
 */
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import { type Consents, merged } from './consents.ts'
import { openConsentStore } from './store.ts'

export type { Consent, Consents } from './consents.ts'

export interface ConsentDependencies {
  readonly storage: Storage
  readonly audit: Audit
}

export function openConsents({
  storage,
  audit,
}: ConsentDependencies): Feature & { readonly consents: Consents } {
  const store = openConsentStore(storage)

  return {
    name: 'consents',
    consents: {
      find: (userId, clientId) => store.find(userId, clientId),

      async remember({ userId, clientId }, consent, request) {
        await storage.transaction(async (db) => {
          await store.lock(db, userId)
          await store.save(db, { userId, clientId }, merged(await store.find(userId, clientId, db), consent))
          await audit.recordIn(db, {
            action: 'consents.given',
            outcome: 'success',
            actor: { kind: 'user', userId },
            userId,
            clientId,
            request,
            detail: { scopes: consent.scopes, resources: Object.keys(consent.resources) },
          })
        })
      },
    },
  }
}
