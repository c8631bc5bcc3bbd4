/**
 * Owns what each person has allowed each client, remembered beyond sessions, and taking it back.
 * Does not own grants: those belong to one session each and are the provider's; they are made from what is remembered.
 */
import type { AuthorizationDetail } from '../../kernel/authorization-details.ts'
import type { Feature } from '../feature.ts'
import { consentCommands } from './commands.ts'
import { openConnections } from './connections.ts'
import { type Consent, type ConsentDependencies, type Consents, merged } from './consents.ts'
import { applicationsPanel } from './panel.ts'
import { openConsentStore } from './store.ts'
import { takingBack } from './taking-back.ts'

export { consentsDefinition } from './commands.ts'
export type {
  Access,
  ApiFacts,
  ClientFacts,
  Consent,
  ConsentDependencies,
  Consents,
  DetailTypeFacts,
  StoredConsent,
} from './consents.ts'

export interface ConsentsFeature extends Feature {
  readonly consents: Consents
}

export function openConsents(dependencies: ConsentDependencies): ConsentsFeature {
  const consents = openRules(dependencies)
  const connections = openConnections({ ...dependencies, consents })
  return {
    name: 'consents',
    consents,
    panels: [applicationsPanel({ connections, consents })],
    commands: consentCommands({ ...dependencies, connections, consents }),
    export: (userId) => connections.list(userId),
  }
}

/** Of details, those of types that may be remembered; what happens once is asked for each time. */
const lastingDetails =
  (detailType: ConsentDependencies['detailType']) =>
  async (details: readonly AuthorizationDetail[]): Promise<readonly AuthorizationDetail[]> => {
    const kept = await Promise.all(
      details.map(async ({ type }) => (await detailType(type))?.remember === true),
    )
    return details.filter((_, index) => kept[index])
  }

function openRules({ storage, audit, endClientOfUser, detailType }: ConsentDependencies): Consents {
  const store = openConsentStore(storage)
  const lasting = lastingDetails(detailType)
  /** What was remembered of a type that may be remembered no more counts no more. */
  const counting = async (found: Consent | undefined): Promise<Consent | undefined> => {
    const { authorizationDetails = [] } = found ?? {}
    return found === undefined || authorizationDetails.length === 0
      ? found
      : { ...found, authorizationDetails: await lasting(authorizationDetails) }
  }
  return {
    find: async (userId, clientId) => counting(await store.find(userId, clientId)),
    settled: async (userId, clientId) => counting(await store.settled({ userId, clientId })),
    list: store.list,

    async remember({ userId, clientId }, allowed, request) {
      const consent = { ...allowed, authorizationDetails: await lasting(allowed.authorizationDetails ?? []) }
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
          detail: {
            scopes: consent.scopes,
            resources: Object.keys(consent.resources),
            ...(allowed.authorizationDetails?.length && {
              authorizationDetails: allowed.authorizationDetails.map(({ type }) => type),
            }),
          },
        })
      })
    },

    ...takingBack({ storage, audit, endClientOfUser, store }),
  }
}
