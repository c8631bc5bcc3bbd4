import { administer, saidIn } from '../../kernel/administering.ts'
import type { Clock } from '../../kernel/clock.ts'
import { invalidInput, notFound } from '../../kernel/errors.ts'
import type { Resource } from '../../kernel/resource.ts'
import type { Audit } from '../audit/index.ts'
import { resourcesDefinition } from './definition.ts'
import { resourceFault } from './protocol.ts'
import { itemOf, type ResourceDraft, type ResourceItem } from './resources.ts'
import type { ResourceStore } from './store.ts'

export interface AdministrationDependencies {
  readonly store: ResourceStore
  readonly clock: Clock
  readonly audit: Audit
  /** The most that the server lets an access token live. */
  readonly accessTokenMaximumSeconds: number
}

export const administerResources = ({
  store,
  clock,
  audit,
  ...limits
}: AdministrationDependencies): Resource<ResourceItem> =>
  administer({
    definition: resourcesDefinition.resource,
    store,
    clock,
    itemOf,
    // Parsed by the definition's fields.
    draftOf: (input, before) => checked({ ...before, ...saidIn(input) } as ResourceDraft, limits),
    record: (db, { item, actor, event }) =>
      audit.recordIn(db, {
        action: `resources.${event}`,
        outcome: 'success',
        actor,
        detail: { id: item.id, indicator: item.indicator },
      }),
    unknown: (id) =>
      notFound(
        'resources.unknown',
        `There is no resource ${id} any more. List the resources to see those there are.`,
      ),
  })

/** Throws `resources.inconsistent` where the parts of a resource do not fit together. */
function checked(
  draft: ResourceDraft,
  limits: { readonly accessTokenMaximumSeconds: number },
): ResourceDraft {
  const fault = resourceFault(draft, limits)
  if (fault !== undefined) throw invalidInput('resources.inconsistent', fault)
  return draft
}
