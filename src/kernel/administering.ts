import type { Clock } from './clock.ts'
import type { AppError } from './errors.ts'
import type { Actor } from './http.ts'
import { newId } from './ids.ts'
import type { Input } from './input.ts'
import {
  type Action,
  type ActionDefinition,
  bindActions,
  type Outcome,
  type Page,
  type PageRequest,
  type Resource,
  type ResourceDefinition,
} from './resource.ts'

/** What is stored of an administrable thing that can be disabled. */
interface Stored {
  readonly id: string
  readonly disabledAt: Date | undefined
}

/** Where such things are kept. `Db` is a transaction. */
export interface AdministeredStore<Db, Draft, Thing extends Stored> {
  list(request: PageRequest): Promise<Page<Thing>>
  /** By identifier, or by another unique key. */
  read(key: string, db?: Db): Promise<Thing | undefined>
  /** All or nothing, and every process drops what it cached. */
  change<T>(work: (db: Db) => Promise<T>): Promise<T>
  insert(db: Db, id: string, made: { readonly draft: Draft; readonly at: Date }): Promise<void>
  /** Reads one that nobody else changes until the transaction ends. */
  lock(db: Db, id: string, at: Date): Promise<Thing | undefined>
  update(db: Db, thing: Thing, draft: Draft): Promise<void>
  setDisabled(db: Db, thing: Thing, disabledAt: Date | null): Promise<void>
  remove(db: Db, id: string): Promise<void>
}

/** Something that an administrator did; `event` is the last part of the audit event's name. */
export interface Administered<Item> {
  readonly item: Item
  readonly actor: Actor
  readonly event: 'created' | 'updated' | 'deleted' | 'disabled' | 'enabled'
}

type Switch = ActionDefinition & { readonly name: 'disable' | 'enable' }

export interface Administration<Db, Draft, Thing extends Stored, Item extends { readonly id: string }> {
  readonly definition: ResourceDefinition & { readonly actions: readonly Switch[] }
  readonly store: AdministeredStore<Db, Draft, Thing>
  readonly clock: Clock
  itemOf(thing: Thing): Item
  /** Of parsed fields, `before` being the one that is changed. Throws where the parts do not fit together. */
  draftOf(input: Input, before?: Thing): Draft
  /** Writes down what was done, in its transaction. */
  record(db: Db, done: Administered<Item>): Promise<void>
  /** For one that is not there any more. */
  unknown(id: string): AppError
}

/** How one is changed that nobody else changes meanwhile, in one transaction with the record of it. */
function openChange<Db, Draft, Thing extends Stored, Item extends { readonly id: string }>({
  store,
  clock,
  itemOf,
  record,
  unknown,
}: Administration<Db, Draft, Thing, Item>) {
  const locked = async (db: Db, id: string): Promise<Thing> => {
    const thing = await store.lock(db, id, clock.now())
    if (thing === undefined) throw unknown(id)
    return thing
  }
  const get = async (db: Db, id: string): Promise<Item> => {
    const thing = await store.read(id, db)
    if (thing === undefined) throw unknown(id)
    return itemOf(thing)
  }
  const change = (
    done: Administered<Item>,
    work: (db: Db, thing: Thing) => Promise<void>,
  ): Promise<Outcome<Item>> =>
    store.change(async (db) => {
      await work(db, await locked(db, done.item.id))
      await record(db, done)
      return { item: await get(db, done.item.id) }
    })
  return { change, locked, get }
}

/** What all things have in common that are listed, made, changed, disabled and deleted. */
export function administer<Db, Draft, Thing extends Stored, Item extends { readonly id: string }>(
  administration: Administration<Db, Draft, Thing, Item>,
): Resource<Item> {
  const { definition, store, clock, itemOf, draftOf, record } = administration
  const { change, locked, get } = openChange(administration)
  const switched =
    (event: 'disabled' | 'enabled'): Action<Item>['run'] =>
    (item, _input, actor) =>
      change({ item, actor, event }, (db, thing) =>
        store.setDisabled(db, thing, event === 'enabled' ? null : (thing.disabledAt ?? clock.now())),
      )

  return {
    ...definition,
    actions: bindActions(definition.actions, { disable: switched('disabled'), enable: switched('enabled') }),

    async list(request) {
      const page = await store.list(request)
      return { ...page, items: page.items.map(itemOf) }
    },

    async find(key) {
      const thing = await store.read(key)
      return thing && itemOf(thing)
    },

    async create(input, actor) {
      const [draft, id] = [draftOf(input), newId()]
      return await store.change(async (db) => {
        await store.insert(db, id, { draft, at: clock.now() })
        const item = await get(db, id)
        await record(db, { item, actor, event: 'created' })
        return { item }
      })
    },

    update: (item, input, actor) =>
      change({ item, actor, event: 'updated' }, (db, thing) =>
        store.update(db, thing, draftOf(input, thing)),
      ),

    delete: (item, actor) =>
      store.change(async (db) => {
        await locked(db, item.id)
        await store.remove(db, item.id)
        await record(db, { item, actor, event: 'deleted' })
      }),
  }
}

/** Parsed fields as a draft's; `null` takes a value away. */
export const saidIn = (input: Input): Input =>
  Object.fromEntries(Object.entries(input).map(([name, value]) => [name, value ?? undefined]))
