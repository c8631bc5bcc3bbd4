import { z } from 'zod'
import { invalidInput } from './errors.ts'
import type { Field, InputFields } from './resource.ts'

export type Input = Readonly<Record<string, unknown>>
type Parsable = Readonly<Record<string, Pick<Field, 'schema' | 'optional'>>>

/** What is wrong with one field. */
export interface InputFault {
  /** The field's name, and below it the place in a list or object; empty for the whole input. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

export type Parsed =
  | { readonly input: Input; readonly faults?: never }
  | { readonly faults: readonly InputFault[]; readonly input?: never }

/** Checks what is to be created: fields that may be written, required ones present, nothing else. */
export const parseCreate = (fields: Readonly<Record<string, Field>>, value: Input): Parsed =>
  parse(writable(fields, ['create', 'always']), value)

/** Checks a change: only the fields given are parsed, so that no default overwrites what is not named. */
export function parseUpdate(fields: Readonly<Record<string, Field>>, value: Input): Parsed {
  const given = Object.entries(writable(fields, ['always'])).filter(([name]) => Object.hasOwn(value, name))
  return parse(Object.fromEntries(given), value)
}

/** Checks the input of an action or command. */
export const parseInput = (fields: InputFields, value: Input): Parsed => parse(fields, value)

/** Throws `input.invalid` (400), which names the fields and has the first as its `field`, instead of answering with faults. */
export function accept({ input, faults }: Parsed): Input {
  if (input !== undefined) return input
  const texts = (faults ?? []).map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`)
  const field = faults?.[0]?.path[0]
  throw invalidInput(
    'input.invalid',
    `${texts.join('; ')}.`,
    field === undefined ? {} : { field: String(field) },
  )
}

const writable = (fields: Readonly<Record<string, Field>>, when: readonly Field['writable'][]): Parsable =>
  Object.fromEntries(Object.entries(fields).filter(([, field]) => when.includes(field.writable)))

function parse(fields: Parsable, value: Input): Parsed {
  const shape = Object.entries(fields).map(([name, { schema, optional }]) => [
    name,
    optional === true && !acceptsUndefined(schema) ? schema.optional() : schema,
  ])
  const result = z.strictObject(Object.fromEntries(shape)).safeParse(value, { reportInput: false })
  if (result.success) return { input: result.data }
  return { faults: result.error.issues.flatMap((issue) => faultsOf(issue, value)) }
}

const acceptsUndefined = (schema: z.ZodType): boolean => schema.safeParse(undefined).success

function faultsOf(issue: z.core.$ZodIssue, value: Input): readonly InputFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...pathOf(issue), key], message: 'cannot be set' }))
  }
  const [first] = issue.path
  const missing = issue.path.length === 1 && value[String(first)] === undefined
  return [{ path: pathOf(issue), message: missing ? 'is required' : issue.message }]
}

const pathOf = (issue: z.core.$ZodIssue): readonly (string | number)[] =>
  issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
