import type { z } from 'zod'
import type { Actor } from './http.ts'

/** When a field may be given: at creation only, at any time, or by nobody (the server sets it). */
export type Writable = 'create' | 'always' | 'never'

export interface Field {
  /** Parses and validates the field's JSON value; its output type is the field's type in `Item`. */
  readonly schema: z.ZodType
  readonly documentation: string
  readonly writable: Writable
  /** Shown as a column where items are listed. */
  readonly column?: boolean
  /** May be left out at creation; its `schema` then supplies the default or accepts `undefined`. */
  readonly optional?: boolean
}

/** Inputs of a verb by name; a strict object is made of their schemas. */
export type InputFields = Readonly<Record<string, InputField>>

export interface InputField extends Pick<Field, 'schema' | 'documentation' | 'optional'> {
  /** Read from standard input on the command line, never from an argument that others can see in the process list. */
  readonly fromStandardInput?: boolean
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Opaque; hand it back as `after`. Absent on the last page. */
  readonly next?: string
}

export interface PageRequest {
  readonly after?: string
  /** 1 to 200. */
  readonly limit: number
  /** Free text matched against names and keys. */
  readonly search?: string
}

/** What a change answers: the item as it is now, and values shown this once (a new secret, a one-time link). */
export interface Outcome<Item> {
  readonly item: Item
  readonly reveals?: Readonly<Record<string, string>>
  /** One English sentence that says what happened, where the verb alone does not. */
  readonly notice?: string
}

/** What is known of an action without a database. */
export interface ActionDefinition {
  readonly name: string
  readonly documentation: string
  readonly input: InputFields
}

/** A verb beyond list, show, create, update and delete: `disable`, `add-secret`, `reset-password`. */
export interface Action<Item> extends ActionDefinition {
  run(item: Item, input: Readonly<Record<string, unknown>>, actor: Actor): Promise<Outcome<Item>>
}

/** What is known of a resource without a database; help texts and documents are made of it. */
export interface ResourceDefinition {
  /** Plural, as in the command line and the API's paths. */
  readonly name: string
  readonly singular: string
  readonly documentation: string
  readonly fields: Readonly<Record<string, Field>>
  readonly actions: readonly ActionDefinition[]
}

/**
 * An administrable thing, defined once; the command line's verbs are derived from it, and whatever else administrates
 * can be. `input` reaches `create` and `update` already parsed: strict, of the fields' types, writable ones only.
 */
export interface Resource<Item extends { readonly id: string } = { readonly id: string }>
  extends ResourceDefinition {
  list(request: PageRequest): Promise<Page<Item>>
  /** By identifier, or by another unique key (an address, a user name, an indicator). */
  find(key: string): Promise<Item | undefined>
  create(input: Readonly<Record<string, unknown>>, actor: Actor): Promise<Outcome<Item>>
  update(item: Item, input: Readonly<Record<string, unknown>>, actor: Actor): Promise<Outcome<Item>>
  delete(item: Item, actor: Actor): Promise<void>
  readonly actions: readonly Action<Item>[]
}

/** The actions of a definition, each with what it does. */
export const bindActions = <Item, const Definition extends ActionDefinition>(
  definitions: readonly Definition[],
  runs: Readonly<Record<Definition['name'], Action<Item>['run']>>,
): readonly Action<Item>[] =>
  definitions.map((definition) => ({ ...definition, run: runs[definition.name as Definition['name']] }))
