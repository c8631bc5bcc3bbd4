import { readFileSync } from 'node:fs'
import type { Field, InputField } from '../kernel/resource.ts'
import { usage } from './faults.ts'
import { placeholder, type Shape, shapeOf } from './shapes.ts'
import type { Given, VerbOption } from './verb.ts'
import { camel, kebab, singular } from './words.ts'

type Fields = Readonly<
  Record<string, Pick<Field, 'schema' | 'documentation' | 'optional'> & Pick<InputField, 'fromStandardInput'>>
>

/** The option that gives the field a value: `--redirect-uri` for each of `redirectUris`. */
export function flagOf(fields: Fields): (name: string) => string {
  return (name) => {
    const field = fields[name]
    return `--${field !== undefined && shapeOf(field.schema).kind === 'list' ? singular(kebab(name)) : kebab(name)}`
  }
}

/** Options from fields. Those of a `change` are all optional, and can empty a list or take a value away. */
export const optionsOf = (fields: Fields, purpose: 'new' | 'change'): readonly VerbOption[] =>
  Object.entries(fields).flatMap(([name, field]) => {
    if (field.fromStandardInput === true) return standardInputOption(name, field)
    const shape = shapeOf(field.schema)
    const flag = flagOf(fields)(name)
    const required = purpose === 'new' && field.optional !== true
    const { documentation } = field
    if (shape.kind === 'flag') {
      const option = { flags: flag, documentation, required }
      // Where it does not hold anyway, there is nothing to say no to.
      if (purpose === 'new' && shape.fallback === false) return option
      return [option, { flags: `--no-${kebab(name)}`, documentation: `The opposite of ${flag}.` }]
    }
    const repeatable = shape.kind === 'list'
    const option = { flags: `${flag} ${placeholder(shape)}`, documentation, required, repeatable }
    return purpose === 'new' ? [option] : [option, ...clearing(name, flag, shape)]
  })

function clearing(name: string, flag: string, shape: Shape): readonly VerbOption[] {
  const flags = `--no-${kebab(name)}`
  if (shape.kind === 'list')
    return [{ flags, documentation: `Leave none; what ${flag} gives replaces all there were.` }]
  return shape.nullable ? [{ flags, documentation: `Take away what ${flag} gave.` }] : []
}

function standardInputOption(
  name: string,
  { documentation, optional }: Fields[string],
): readonly VerbOption[] {
  return optional === true
    ? [{ flags: `--${kebab(name)}-stdin`, documentation: `Read from standard input: ${documentation}` }]
    : []
}

/** The fields that are to be read from standard input, in their order. */
export const hiddenFields = (fields: Fields, given: Given): readonly string[] =>
  Object.entries(fields)
    .filter(([, field]) => field.fromStandardInput === true)
    .filter(([name, field]) => field.optional !== true || given[camel(`${kebab(name)}-stdin`)] === true)
    .map(([name]) => name)

/** The fields' values from the options; what was not given is absent. Throws where an option is not what it has to be. */
export function inputOf(fields: Fields, given: Given): Readonly<Record<string, unknown>> {
  const values = Object.entries(fields)
    .filter(([, field]) => field.fromStandardInput !== true)
    .map(([name, { schema }]) => [
      name,
      fieldValue(given, name, { flag: flagOf(fields)(name), shape: shapeOf(schema) }),
    ])
  return Object.fromEntries(values.filter(([, value]) => value !== undefined))
}

function fieldValue(given: Given, name: string, { flag, shape }: { flag: string; shape: Shape }): unknown {
  const value = given[camel(flag.slice(2))]
  if (shape.kind === 'flag') return value
  const cleared = given[camel(kebab(name))] === false
  if (shape.kind !== 'list')
    return cleared ? null : value === undefined ? undefined : parse(String(value), flag, shape)
  if (!Array.isArray(value)) return cleared ? [] : undefined
  if (cleared) throw usage(`${flag} and --no-${kebab(name)} contradict each other. Give one of them.`)
  return value.flatMap((text) => parse(String(text), flag, shape.item))
}

function parse(text: string, flag: string, shape: Shape): unknown {
  if (shape.kind === 'number') return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text
  if (shape.kind === 'flag') return text === 'true' ? true : text === 'false' ? false : text
  if (shape.kind === 'json') return json(text, flag)
  if (shape.kind !== 'pair') return text
  if (/^[{[@]/.test(text)) return json(text, flag)
  const [key, ...rest] = text.split('=')
  return { [shape.names[0]]: key, ...(rest.length > 0 && { [shape.names[1]]: rest.join('=') }) }
}

/** JSON as it stands, or from the file after an `@`. */
function json(text: string, flag: string): unknown {
  const source = text.startsWith('@') ? fileText(text.slice(1), flag) : text
  try {
    return JSON.parse(source)
  } catch {
    throw usage(`${flag} must be JSON, or @ and the name of a file that holds it.`)
  }
}

function fileText(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw usage(`${flag} names the file ${path}, which cannot be read. Check its name and its permissions.`)
  }
}
