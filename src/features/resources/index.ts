/**
 * Owns the registered APIs: their indicators, scopes, and the format and lifetime of access tokens for them.
 * Does not own who may ask for those scopes, which clients state, nor the tokens themselves.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { Resource } from '../../kernel/resource.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import { administerResources } from './administration.ts'
import { isActive, type ResourceItem, type Resources } from './resources.ts'
import { openResourceStore } from './store.ts'

export type { ResourceScope, TokenAlgorithm, TokenFormat } from './definition.ts'
export { resourcesDefinition } from './definition.ts'
export type { ApiResource, ResourceItem, Resources } from './resources.ts'

export interface ResourceDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  /** The most that the server lets an access token live. */
  readonly accessTokenMaximumSeconds: number
  /** The clients whose requests are for this API where they name none. */
  readonly defaultingClients: (indicator: string) => Promise<readonly string[]>
}

export interface ResourcesFeature extends Feature {
  readonly resources: Resources
  /** `undefined` where there is no such API. */
  standingOf(indicator: string): Promise<{ readonly isActive: boolean } | undefined>
  readonly resource: Resource<ResourceItem>
}

export function openResources({ storage, ...dependencies }: ResourceDependencies): ResourcesFeature {
  const store = openResourceStore(storage)
  return {
    name: 'resources',
    resources: { findByIndicator: store.findByIndicator, isActive },
    async standingOf(indicator) {
      const api = await store.findByIndicator(indicator)
      return api && { isActive: isActive(api) }
    },
    resource: administerResources({ store, ...dependencies }),
  }
}
