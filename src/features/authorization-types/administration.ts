import type { Clock } from '../../kernel/clock.ts'
import { type AppError, notFound } from '../../kernel/errors.ts'
import type { Actor } from '../../kernel/http.ts'
import { newId } from '../../kernel/ids.ts'
import { type Action, bindActions, type Outcome, type Resource } from '../../kernel/resource.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import { itemOf, type StoredType, type TypeDraft, type TypeItem } from './authorization-types.ts'
import { authorizationTypesDefinition, typeActions } from './definition.ts'
import type { TypeStore } from './store.ts'

export interface AdministrationDependencies {
  readonly store: TypeStore
  readonly clock: Clock
  readonly audit: Audit
}

interface Subject {
  readonly item: TypeItem
  readonly actor: Actor
  /** The last part of the audit event's name. */
  readonly event: string
}

type Work = (db: DatabaseTransaction, type: StoredType) => Promise<void>

export function administerTypes(dependencies: AdministrationDependencies): Resource<TypeItem> {
  const { store, clock, audit } = dependencies
  const change = openChange(dependencies)
  return {
    ...authorizationTypesDefinition.resource,
    actions: bindActions(typeActions, openActions(dependencies, change)),

    async list(request) {
      const page = await store.list(request)
      return { ...page, items: page.items.map(itemOf) }
    },

    async find(key) {
      const stored = await store.read(key)
      return stored && itemOf(stored)
    },

    create: (input, actor) => create(dependencies, input as unknown as TypeDraft, actor),

    update: (item, input, actor) =>
      change({ item, actor, event: 'updated' }, (db, type) => store.update(db, type, { ...type, ...input })),

    async delete(item, actor) {
      await store.change(async (db) => {
        if ((await store.lock(db, item.id, clock.now())) === undefined) throw unknownType(item.id)
        await store.remove(db, item.id)
        await record(audit, db, { item, actor, event: 'deleted' })
      })
    },
  }
}

async function create(
  { store, clock, audit }: AdministrationDependencies,
  draft: TypeDraft,
  actor: Actor,
): Promise<Outcome<TypeItem>> {
  const id = newId()
  return await store.change(async (db) => {
    await store.insert(db, id, { draft, at: clock.now() })
    const item = itemOf(await get(store, db, id))
    await record(audit, db, { item, actor, event: 'created' })
    return { item }
  })
}

type Changer = (subject: Subject, work: Work) => Promise<Outcome<TypeItem>>

/** Changes one that nobody else changes meanwhile. */
const openChange =
  ({ store, clock, audit }: AdministrationDependencies): Changer =>
  (subject, work) =>
    store.change(async (db) => {
      const { id } = subject.item
      const type = await store.lock(db, id, clock.now())
      if (type === undefined) throw unknownType(id)
      await work(db, type)
      await record(audit, db, subject)
      return { item: itemOf(await get(store, db, id)) }
    })

type ActionName = (typeof typeActions)[number]['name']

const openActions = (
  { store, clock }: AdministrationDependencies,
  change: Changer,
): Readonly<Record<ActionName, Action<TypeItem>['run']>> => ({
  disable: (item, _input, actor) =>
    change({ item, actor, event: 'disabled' }, (db, type) =>
      store.setDisabled(db, type, type.disabledAt ?? clock.now()),
    ),
  enable: (item, _input, actor) =>
    change({ item, actor, event: 'enabled' }, (db, type) => store.setDisabled(db, type, null)),
})

async function get(store: TypeStore, db: DatabaseTransaction, id: string): Promise<StoredType> {
  const stored = await store.read(id, db)
  if (stored === undefined) throw unknownType(id)
  return stored
}

const record = (audit: Audit, db: DatabaseTransaction, { item, actor, event }: Subject): Promise<void> =>
  audit.recordIn(db, {
    action: `authorization_types.${event}`,
    outcome: 'success',
    actor,
    detail: { id: item.id, type: item.type },
  })

const unknownType = (id: string): AppError =>
  notFound(
    'authorization_types.unknown',
    `There is no authorization type ${id} any more. List them to see those there are.`,
  )
