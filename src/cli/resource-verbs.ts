import { AppError } from '../kernel/errors.ts'
import { commandLineActor } from '../kernel/http.ts'
import { parseCreate, parseInput, parseUpdate } from '../kernel/input.ts'
import type { ActionDefinition, Field, Outcome, Resource, ResourceDefinition } from '../kernel/resource.ts'
import { acceptOptions, usage } from './faults.ts'
import { withFeatures } from './features.ts'
import { flagOf, hiddenFields, inputOf, optionsOf } from './options.ts'
import { itemTable, itemText, jsonText, revealsText, shown } from './print.ts'
import { confirm, readHidden } from './prompt.ts'
import { type Call, jsonOption, type Verb } from './verb.ts'
import { asWords, withArticle } from './words.ts'

type Item = { readonly id: string }
type Fields = Readonly<Record<string, Field>>

const pageSize = 50
const maximumPageSize = 200

/** The verbs of an administrable thing. */
export const resourceVerbs = (definition: ResourceDefinition): readonly Verb[] => [
  listVerb(definition),
  showVerb(definition),
  createVerb(definition),
  updateVerb(definition),
  deleteVerb(definition),
  ...definition.actions.map((action) => actionVerb(definition, action)),
]

const listVerb = (definition: ResourceDefinition): Verb => ({
  words: [definition.name, 'list'],
  documentation: `List the ${asWords(definition.name)}, oldest first.`,
  options: [
    { flags: '--search <text>', documentation: 'Only those whose name or key holds this text.' },
    {
      flags: '--limit <number>',
      documentation: `At most so many, 1 to ${maximumPageSize}; ${pageSize} when nothing is said.`,
    },
    { flags: '--after <text>', documentation: 'The page after this one; each page names the next.' },
    jsonOption,
  ],
  run: (call) =>
    withResource(call, definition, async (resource) => {
      const { search, after } = call.given as { search?: string; after?: string }
      const page = await resource.list({ limit: limitOf(call.given.limit), search, after })
      if (call.json) {
        const items = page.items.map((item) => shown(definition, item))
        call.ports.stdout.write(jsonText(page.next === undefined ? { items } : { items, next: page.next }))
        return
      }
      if (page.items.length > 0) call.ports.stdout.write(itemTable(definition, page.items))
      else
        call.ports.stderr.write(
          `There are no ${asWords(definition.name)}${search === undefined ? '' : ' like that'}.\n`,
        )
      if (page.next !== undefined) call.ports.stderr.write(`There are more: add --after ${page.next}\n`)
    }),
})

const showVerb = (definition: ResourceDefinition): Verb => ({
  words: [definition.name, 'show'],
  documentation: `Show one ${definition.singular}.`,
  argument: keyOf(definition),
  options: [jsonOption],
  run: (call) =>
    withItem(call, definition, async ({ item }) => {
      call.ports.stdout.write(call.json ? jsonText(shown(definition, item)) : itemText(definition, item))
    }),
})

function createVerb(definition: ResourceDefinition): Verb {
  const fields = writable(definition, ['create', 'always'])
  return {
    words: [definition.name, 'create'],
    documentation: `Make ${withArticle(definition.singular)}.`,
    options: [...optionsOf(fields, 'new'), jsonOption],
    async run(call) {
      const input = acceptOptions(parseCreate(definition.fields, inputOf(fields, call.given)), flagOf(fields))
      await withResource(call, definition, async (resource) => {
        printOutcome(call, definition, await resource.create(input, commandLineActor))
      })
    },
  }
}

function updateVerb(definition: ResourceDefinition): Verb {
  const fields = writable(definition, ['always'])
  return {
    words: [definition.name, 'update'],
    documentation: `Change ${withArticle(definition.singular)}. What no option names stays as it is.`,
    argument: keyOf(definition),
    options: [...optionsOf(fields, 'change'), jsonOption],
    async run(call) {
      const given = inputOf(fields, call.given)
      if (Object.keys(given).length === 0)
        throw usage('There is nothing to change. Name at least one option.')
      const input = acceptOptions(parseUpdate(definition.fields, given), flagOf(fields))
      await withItem(call, definition, async ({ resource, item }) => {
        printOutcome(call, definition, await resource.update(item, input, commandLineActor))
      })
    },
  }
}

const deleteVerb = (definition: ResourceDefinition): Verb => ({
  words: [definition.name, 'delete'],
  documentation: `Delete ${withArticle(definition.singular)} for good. It asks first, unless --yes says that it need not.`,
  argument: keyOf(definition),
  options: [{ flags: '--yes', documentation: 'Do not ask.' }, jsonOption],
  run: (call) =>
    withItem(call, definition, async ({ resource, item }) => {
      await agree(call, definition, item)
      await resource.delete(item, commandLineActor)
      call.ports.stdout.write(
        call.json ? jsonText({ deleted: item.id }) : `Deleted the ${definition.singular} ${item.id}.\n`,
      )
    }),
})

async function agree(
  { ports, given, key }: Call,
  { singular }: ResourceDefinition,
  { id }: Item,
): Promise<void> {
  if (given.yes === true) return
  if (ports.stdin.isTTY !== true)
    throw usage(`Deleting ${withArticle(singular)} cannot be undone. Add --yes if you mean it.`)
  const named = key === id ? id : `${key} (${id})`
  if (await confirm(ports, `Delete the ${singular} ${named} for good?`)) return
  throw new AppError('command-line.declined', 409, `The ${singular} was not deleted. Answer y to delete it.`)
}

const actionVerb = (
  definition: ResourceDefinition,
  { name, documentation, input: fields }: ActionDefinition,
): Verb => ({
  words: [definition.name, name],
  documentation,
  argument: keyOf(definition),
  options: [...optionsOf(fields, 'new'), jsonOption],
  async run(call) {
    const given = inputOf(fields, call.given)
    const hidden = await readHidden(call.ports, fields, hiddenFields(fields, call.given))
    const input = acceptOptions(parseInput(fields, { ...given, ...hidden }), flagOf(fields))
    await withItem(call, definition, async ({ resource, item }) => {
      const action = resource.actions.find((each) => each.name === name)
      if (action === undefined) throw notOpened(`${definition.name} ${name}`)
      printOutcome(call, definition, await action.run(item, input, commandLineActor))
    })
  },
})

function printOutcome({ ports, json }: Call, definition: ResourceDefinition, outcome: Outcome<Item>): void {
  const { item, reveals, notice } = outcome
  if (notice !== undefined) ports.stderr.write(`${notice}\n`)
  if (json) ports.stdout.write(jsonText({ item: shown(definition, item), ...(reveals && { reveals }) }))
  else ports.stdout.write(itemText(definition, item) + revealsText(reveals))
}

const withResource = (
  { ports }: Call,
  { name }: ResourceDefinition,
  work: (resource: Resource) => Promise<void>,
): Promise<void> =>
  withFeatures(ports, async (features) => {
    const resource = features.find((feature) => feature.resource?.name === name)?.resource
    if (resource === undefined) throw notOpened(name)
    await work(resource)
  })

const withItem = (
  call: Call,
  definition: ResourceDefinition,
  work: (found: { readonly resource: Resource; readonly item: Item }) => Promise<void>,
): Promise<void> =>
  withResource(call, definition, async (resource) => {
    const item = await resource.find(call.key)
    if (item !== undefined) return await work({ resource, item })
    const { name, singular } = definition
    const message = `There is no ${singular} ${call.key}. List those there are with: latchkey ${name} list`
    throw new AppError('command-line.unknown_key', 404, message)
  })

const keyOf = ({ singular }: ResourceDefinition) => ({
  name: singular,
  documentation: `The identifier of the ${singular}, or another key that is unique to it.`,
})

const writable = ({ fields }: ResourceDefinition, when: readonly Field['writable'][]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, field]) => when.includes(field.writable)))

function limitOf(text: unknown): number {
  if (text === undefined) return pageSize
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= maximumPageSize) return limit
  throw usage(`--limit must be a whole number from 1 to ${maximumPageSize}.`)
}

const notOpened = (name: string): AppError =>
  new AppError(
    'command-line.not_opened',
    500,
    `${name} is defined but was not opened. Update Latchkey as a whole.`,
  )
