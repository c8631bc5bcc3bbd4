import type { Clock } from '../../kernel/clock.ts'
import { type AppError, invalidInput, notFound } from '../../kernel/errors.ts'
import type { Actor } from '../../kernel/http.ts'
import { newId } from '../../kernel/ids.ts'
import { type Action, bindActions, type Outcome, type Resource } from '../../kernel/resource.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import { resourceActions, resourcesDefinition } from './definition.ts'
import { resourceFault } from './protocol.ts'
import { itemOf, type ResourceDraft, type ResourceItem, type StoredResource } from './resources.ts'
import type { ResourceStore } from './store.ts'

export interface AdministrationDependencies {
  readonly store: ResourceStore
  readonly clock: Clock
  readonly audit: Audit
  /** The most that the server lets an access token live. */
  readonly accessTokenMaximumSeconds: number
}

interface Subject {
  readonly item: ResourceItem
  readonly actor: Actor
  /** The last part of the audit event's name. */
  readonly event: string
}

type Work = (db: DatabaseTransaction, resource: StoredResource) => Promise<void>

export function administerResources(dependencies: AdministrationDependencies): Resource<ResourceItem> {
  const { store, clock, audit } = dependencies
  const change = openChange(dependencies)
  return {
    ...resourcesDefinition.resource,
    actions: bindActions(resourceActions, openActions(dependencies, change)),

    async list(request) {
      const page = await store.list(request)
      return { ...page, items: page.items.map(itemOf) }
    },

    async find(key) {
      const stored = await store.read(key)
      return stored && itemOf(stored)
    },

    create: (input, actor) =>
      create(dependencies, checked(said(input) as unknown as ResourceDraft, dependencies), actor),

    update: (item, input, actor) =>
      change({ item, actor, event: 'updated' }, (db, resource) =>
        store.update(db, resource, checked({ ...resource, ...said(input) }, dependencies)),
      ),

    async delete(item, actor) {
      await store.change(async (db) => {
        if ((await store.lock(db, item.id, clock.now())) === undefined) throw unknownResource(item.id)
        await store.remove(db, item.id)
        await record(audit, db, { item, actor, event: 'deleted' })
      })
    },
  }
}

/** Parsed fields as a draft; `null` takes a value away. */
const said = (input: Readonly<Record<string, unknown>>): Partial<ResourceDraft> =>
  Object.fromEntries(Object.entries(input).map(([name, value]) => [name, value ?? undefined]))

/** Throws `resources.inconsistent` where the parts of a resource do not fit together. */
function checked(
  draft: ResourceDraft,
  limits: { readonly accessTokenMaximumSeconds: number },
): ResourceDraft {
  const fault = resourceFault(draft, limits)
  if (fault !== undefined) throw invalidInput('resources.inconsistent', fault)
  return draft
}

async function create(
  { store, clock, audit }: AdministrationDependencies,
  draft: ResourceDraft,
  actor: Actor,
): Promise<Outcome<ResourceItem>> {
  const id = newId()
  return await store.change(async (db) => {
    await store.insert(db, id, { draft, at: clock.now() })
    const item = itemOf(await get(store, db, id))
    await record(audit, db, { item, actor, event: 'created' })
    return { item }
  })
}

type Changer = (subject: Subject, work: Work) => Promise<Outcome<ResourceItem>>

/** Changes one that nobody else changes meanwhile. */
const openChange =
  ({ store, clock, audit }: AdministrationDependencies): Changer =>
  (subject, work) =>
    store.change(async (db) => {
      const { id } = subject.item
      const resource = await store.lock(db, id, clock.now())
      if (resource === undefined) throw unknownResource(id)
      await work(db, resource)
      await record(audit, db, subject)
      return { item: itemOf(await get(store, db, id)) }
    })

type ActionName = (typeof resourceActions)[number]['name']

const openActions = (
  { store, clock }: AdministrationDependencies,
  change: Changer,
): Readonly<Record<ActionName, Action<ResourceItem>['run']>> => ({
  disable: (item, _input, actor) =>
    change({ item, actor, event: 'disabled' }, (db, resource) =>
      store.setDisabled(db, resource, resource.disabledAt ?? clock.now()),
    ),
  enable: (item, _input, actor) =>
    change({ item, actor, event: 'enabled' }, (db, resource) => store.setDisabled(db, resource, null)),
})

async function get(store: ResourceStore, db: DatabaseTransaction, id: string): Promise<StoredResource> {
  const stored = await store.read(id, db)
  if (stored === undefined) throw unknownResource(id)
  return stored
}

const record = (audit: Audit, db: DatabaseTransaction, { item, actor, event }: Subject): Promise<void> =>
  audit.recordIn(db, {
    action: `resources.${event}`,
    outcome: 'success',
    actor,
    detail: { id: item.id, indicator: item.indicator },
  })

const unknownResource = (id: string): AppError =>
  notFound(
    'resources.unknown',
    `There is no resource ${id} any more. List the resources to see those there are.`,
  )
