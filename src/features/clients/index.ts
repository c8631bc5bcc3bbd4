/**
 * Owns the applications and services that get tokens: what they are, their redirect URIs, secrets and public keys.
 * Does not own their tokens, grants and consents; it says when these have to end and others end them.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { ClientId } from '../../kernel/ids.ts'
import type { Resource } from '../../kernel/resource.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import { administerClients } from './administration.ts'
import { type Clients, isActive, verifySecret } from './client.ts'
import type { ClientItem } from './item.ts'
import { openClientStore } from './store.ts'

export type { Client, ClientSecret, Clients } from './client.ts'
export { clientsDefinition } from './definition.ts'
export type { ClientItem } from './item.ts'
export type { PublicJwks } from './jwks.ts'
export type { Authentication, ClientKind, GrantType, IdTokenAlgorithm } from './kinds.ts'

export interface ClientDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  /** Ends the tokens and grants of a client, in the transaction that disables or deletes it. */
  readonly endEverythingOfClient: (db: DatabaseTransaction, clientId: ClientId) => Promise<void>
}

export interface ClientsFeature extends Feature {
  readonly clients: Clients
  readonly resource: Resource<ClientItem>
}

export function openClients({ storage, ...dependencies }: ClientDependencies): ClientsFeature {
  const store = openClientStore(storage)
  return {
    name: 'clients',
    clients: { find: store.find, isActive, verifySecret },
    resource: administerClients({ store, ...dependencies }),
  }
}
