import { z } from 'zod'

/** How a field is written on a command line. */
export type Shape =
  | { readonly kind: 'number' | 'json'; readonly nullable: boolean }
  | { readonly kind: 'flag'; readonly fallback: boolean | undefined; readonly nullable: boolean }
  | { readonly kind: 'text'; readonly choices: readonly string[]; readonly nullable: boolean }
  | { readonly kind: 'list'; readonly item: Shape; readonly nullable: boolean }
  /** An object of a key and a text, written `key=text`. */
  | { readonly kind: 'pair'; readonly names: readonly [string, string]; readonly nullable: boolean }

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
}

/** Derived from the JSON Schema of what the field's schema takes. */
export function shapeOf(schema: z.ZodType): Shape {
  return fromJsonSchema(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema)
}

function fromJsonSchema(schema: JsonSchema): Shape {
  const variants = flatten(schema)
  const nullable = variants.some(({ type }) => type === 'null')
  const main = variants.find((variant) => variant.type !== 'null' && variant.const === undefined) ?? {}
  const { type } = main
  if (type === 'boolean') {
    return { kind: 'flag', fallback: typeof main.default === 'boolean' ? main.default : undefined, nullable }
  }
  if (type === 'number' || type === 'integer') return { kind: 'number', nullable }
  if (type === 'array') return { kind: 'list', item: fromJsonSchema(main.items ?? {}), nullable }
  if (type === 'string') return { kind: 'text', choices: (main.enum ?? []).map(String), nullable }
  const names = Object.keys(main.properties ?? {})
  const [key, text] = names
  const allTexts = names.every((name) => fromJsonSchema(main.properties?.[name] ?? {}).kind === 'text')
  if (names.length === 2 && key !== undefined && text !== undefined && allTexts) {
    return { kind: 'pair', names: [key, text], nullable }
  }
  return { kind: 'json', nullable }
}

/** One for each type that the schema allows, however it says so. */
function flatten(schema: JsonSchema): readonly JsonSchema[] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(flatten)
  const { type } = schema
  return Array.isArray(type) ? type.map((each) => ({ ...schema, type: each })) : [schema]
}

/** The placeholder after an option's name. */
export function placeholder(shape: Shape): string {
  if (shape.kind === 'text') return shape.choices.length > 0 ? `<${shape.choices.join('|')}>` : '<text>'
  if (shape.kind === 'pair') return `<${shape.names.join('=')}>`
  return shape.kind === 'list' ? placeholder(shape.item) : `<${shape.kind}>`
}
