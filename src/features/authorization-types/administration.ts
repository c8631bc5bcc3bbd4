import { administer } from '../../kernel/administering.ts'
import type { Clock } from '../../kernel/clock.ts'
import { notFound } from '../../kernel/errors.ts'
import type { Resource } from '../../kernel/resource.ts'
import type { Audit } from '../audit/index.ts'
import { itemOf, type TypeDraft, type TypeItem } from './authorization-types.ts'
import { authorizationTypesDefinition } from './definition.ts'
import type { TypeStore } from './store.ts'

export interface AdministrationDependencies {
  readonly store: TypeStore
  readonly clock: Clock
  readonly audit: Audit
}

export const administerTypes = ({ store, clock, audit }: AdministrationDependencies): Resource<TypeItem> =>
  administer({
    definition: authorizationTypesDefinition.resource,
    store,
    clock,
    itemOf,
    draftOf: (input, before) => ({ ...before, ...input }) as TypeDraft, // parsed by the definition's fields
    record: (db, { item, actor, event }) =>
      audit.recordIn(db, {
        action: `authorization_types.${event}`,
        outcome: 'success',
        actor,
        detail: { id: item.id, type: item.type },
      }),
    unknown: (id) =>
      notFound(
        'authorization_types.unknown',
        `There is no authorization type ${id} any more. List them to see those there are.`,
      ),
  })
