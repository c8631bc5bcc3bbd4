import { administer, saidIn } from '../../kernel/administering.ts'
import type { Clock } from '../../kernel/clock.ts'
import { AppError, invalidInput, notFound } from '../../kernel/errors.ts'
import type { Action, Resource } from '../../kernel/resource.ts'
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
  /** The clients whose requests are for this API where they name none. */
  readonly defaultingClients: (indicator: string) => Promise<readonly string[]>
}

/**
 * Without an API the requests of clients that name it as their default would fail, so it is not deleted before they name
 * another one. It can be disabled at any time, and who does it is told of them.
 */
export function administerResources(dependencies: AdministrationDependencies): Resource<ResourceItem> {
  const { defaultingClients } = dependencies
  const resource = administered(dependencies)
  const disabling =
    (run: Action<ResourceItem>['run']): Action<ResourceItem>['run'] =>
    async (item, input, actor) => {
      const clients = await defaultingClients(item.indicator)
      const outcome = await run(item, input, actor)
      if (clients.length === 0) return outcome
      const notice = `${listed(clients)} defaultResource, so their requests fail as long as it is disabled.`
      return { ...outcome, notice: [outcome.notice, notice].filter(Boolean).join(' ') }
    }
  return {
    ...resource,
    actions: resource.actions.map((action) =>
      action.name === 'disable' ? { ...action, run: disabling(action.run) } : action,
    ),

    async delete(item, actor) {
      const clients = await defaultingClients(item.indicator)
      if (clients.length > 0)
        throw new AppError(
          'resources.is_default',
          409,
          `${listed(clients)} defaultResource, so their requests would fail. Take it away from them first, or disable the resource.`,
        )
      await resource.delete(item, actor)
    },
  }
}

const listedAtMost = 10

/** The beginning of a sentence. */
function listed(clients: readonly string[]): string {
  const named = clients.slice(0, listedAtMost).join(', ')
  const more = clients.length - listedAtMost
  const others = more > 0 ? ` and ${more} more` : ''
  return `${clients.length === 1 ? 'The client' : 'The clients'} ${named}${others} ${clients.length === 1 ? 'names it as its' : 'name it as their'}`
}

const administered = ({
  store,
  clock,
  audit,
  accessTokenMaximumSeconds,
}: AdministrationDependencies): Resource<ResourceItem> =>
  administer({
    definition: resourcesDefinition.resource,
    store,
    clock,
    itemOf,
    // Parsed by the definition's fields.
    draftOf: (input, before) =>
      checked({ ...before, ...saidIn(input) } as ResourceDraft, { accessTokenMaximumSeconds }),
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
