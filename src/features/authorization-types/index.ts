/**
 * Owns the registered types of authorization details (RFC 9396): what they hold, and how they are told to people.
 * Does not own who may ask for them, which clients and resources state, nor what was given, which tokens hold.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { Resource } from '../../kernel/resource.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import { administerTypes } from './administration.ts'
import { type AuthorizationTypes, faultOf, type TypeItem } from './authorization-types.ts'
import { openTypeStore } from './store.ts'

export type { AuthorizationType, AuthorizationTypes, TypeItem } from './authorization-types.ts'
export type { DetailField, FieldKind } from './definition.ts'
export { authorizationTypesDefinition } from './definition.ts'

export interface AuthorizationTypeDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
}

export interface AuthorizationTypesFeature extends Feature {
  readonly types: AuthorizationTypes
  /** What is wrong with one member of `authorization_details`; `undefined` where it is of the type. */
  readonly faultOf: typeof faultOf
  readonly resource: Resource<TypeItem>
}

export function openAuthorizationTypes({
  storage,
  ...dependencies
}: AuthorizationTypeDependencies): AuthorizationTypesFeature {
  const store = openTypeStore(storage)
  return {
    name: 'authorization-types',
    types: {
      list: store.active,
      find: async (type) => (await store.active()).find((each) => each.type === type),
      revision: store.revision,
    },
    faultOf,
    resource: administerTypes({ store, ...dependencies }),
  }
}
