/**
 * Owns the applications and services that get tokens: what they are, their redirect URIs, secrets and public keys.
 * Does not own their tokens, grants and consents; it says when these have to end and others end them.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { ClientId } from '../../kernel/ids.ts'
import type { Resource } from '../../kernel/resource.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import { administerClients } from './administration.ts'
import { type AllowedProfiles, allowedProfiles } from './allowed-profiles.ts'
import { type Client, type Clients, isActive, verifySecret } from './client.ts'
import type { FindApi } from './default-resource.ts'
import type { ClientItem } from './item.ts'
import type { Check } from './protocol/check.ts'
import { allowanceCheck } from './protocol/profiles-checks.ts'
import { openRegistering, type Registering } from './registering.ts'
import type { GuardedFetch } from './sector.ts'
import type { settings } from './settings.ts'
import { type ClientStore, isDocumentId, openClientStore } from './store.ts'

export type { Client, ClientSecret, Clients } from './client.ts'
export { clientsDefinition } from './definition.ts'
export type { ClientItem } from './item.ts'
export type { Authentication, ClientKind, GrantType, IdTokenAlgorithm } from './kinds.ts'
export { certificatesOfferedCheck } from './protocol/certificates-checks.ts'
export { lifetimeCheck } from './protocol/tokens-checks.ts'
export type { Registered, Registering } from './registering.ts'

export interface ClientDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  /** Ends the tokens and grants of a client, in the transaction that disables or deletes it. */
  readonly endEverythingOfClient: (db: DatabaseTransaction, clientId: ClientId) => Promise<void>
  /** Reaches what clients name, and nothing private. */
  readonly fetch: GuardedFetch
  readonly findApi: FindApi
  /** What the server's own settings allow a client, such as `lifetimeCheck`. */
  readonly serverChecks: readonly Check[]
  readonly settings: SettingValues<typeof settings>
  /** A client that a document at its client_id describes; `stored` is what is kept of it here, `address` who names it. */
  readonly describedClient: (
    id: string,
    asking: { readonly stored: () => Promise<Client | undefined>; readonly address: string | undefined },
  ) => Promise<Client | undefined>
}

export interface ClientsFeature extends Feature {
  readonly clients: Clients
  /** The security profiles that this server allows. */
  readonly profiles: AllowedProfiles
  readonly resource: Resource<ClientItem>
  /** Which of these clients want logout tokens. Asked in a transaction, past the cache. */
  readonly toldOfLogouts: ClientStore['toldOfLogouts']
  /** The clients whose requests are for this API where they name none. */
  readonly defaultingTo: ClientStore['defaultingTo']
  /** The write side of those that come by themselves. */
  readonly registering: Registering
}

export function openClients({ storage, settings, ...dependencies }: ClientDependencies): ClientsFeature {
  const store = openClientStore(storage)
  const profiles = allowedProfiles(settings)
  const serverChecks = [...dependencies.serverChecks, allowanceCheck(profiles)]
  return {
    name: 'clients',
    clients: {
      find: (id, address) =>
        isDocumentId(id)
          ? dependencies.describedClient(id, { stored: () => store.find(id), address })
          : store.find(id),
      listFederated: store.listFederated,
      // One that is registered for what the server allows no more gets nothing, as if it were disabled.
      isActive: (client) => isActive(client) && profiles.permits(client),
      verifySecret,
    },
    profiles,
    toldOfLogouts: store.toldOfLogouts,
    defaultingTo: store.defaultingTo,
    resource: administerClients({ store, ...dependencies, serverChecks }),
    registering: openRegistering({ store, ...dependencies, serverChecks }),
  }
}
