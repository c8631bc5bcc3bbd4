import { z } from 'zod'
import { displayText } from '../../kernel/fields.ts'
import type { DetailField } from './definition.ts'

/** A registered type as the protocol needs it. Frozen, as many requests share one. */
export interface AuthorizationType {
  /** The value of `type` (RFC 9396 §2). */
  readonly type: string
  readonly title: string
  readonly description: string
  readonly fields: readonly DetailField[]
  /** Exactly the same details need not be allowed anew. */
  readonly remember: boolean
}

/** What administrators decide about a type. */
export type TypeDraft = AuthorizationType

export interface StoredType extends AuthorizationType {
  readonly id: string
  readonly disabledAt: Date | undefined
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A type as administrators see it. */
export interface TypeItem extends Omit<StoredType, 'disabledAt' | 'createdAt' | 'updatedAt'> {
  readonly state: 'active' | 'disabled'
  /** ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}

/** What the protocol asks about types. */
export interface AuthorizationTypes {
  /** Those that are active. */
  list(): Promise<readonly AuthorizationType[]>
  /** `undefined` for one that is not registered or is disabled. */
  find(type: string): Promise<AuthorizationType | undefined>
  /** Counts changes; `undefined` while that cannot be known. */
  revision(): number | undefined
}

export function itemOf({ disabledAt, createdAt, updatedAt, ...rest }: StoredType): TypeItem {
  return {
    ...rest,
    state: disabledAt === undefined ? 'active' : 'disabled',
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}

/** Bytes of one detail as JSON. */
export const longestDetail = 4_096
const longestList = 50
const textLength = 500

/**
 * What is wrong with `detail` as a member of `authorization_details` (RFC 9396 §5), in a few words that name the member;
 * `undefined` where it is of the type. Nothing that was not declared gets through.
 */
export function faultOf(
  type: AuthorizationType,
  detail: Readonly<Record<string, unknown>>,
): string | undefined {
  if (Buffer.byteLength(JSON.stringify(detail)) > longestDetail)
    return `must have at most ${longestDetail} bytes`
  const result = schemaOf(type).safeParse(detail)
  const [issue] = result.error?.issues ?? []
  if (issue === undefined) return undefined
  const path = issue.path.join('.')
  return path === '' ? issue.message : `${path}: ${issue.message}`
}

const schemas = new WeakMap<AuthorizationType, z.ZodType>()

function schemaOf(type: AuthorizationType): z.ZodType {
  const known = schemas.get(type)
  if (known !== undefined) return known
  const schema = z.strictObject({ type: z.literal(type.type), ...shapeOf(type.fields) })
  schemas.set(type, schema)
  return schema
}

const shapeOf = (fields: readonly DetailField[]): Readonly<Record<string, z.ZodType>> =>
  Object.fromEntries(
    fields.map((field) => [field.name, field.required ? checkOf(field) : checkOf(field).optional()]),
  )

/** Text that people are shown as it is, so nothing in it may be invisible or turned around. */
const text = displayText(textLength)
const asWritten = z
  .string()
  .refine((value) => text.safeParse(value).data === value, 'must be one line of text')

const amount = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be a currency of three capitals (ISO 4217)'),
  amount: z
    .string()
    .regex(/^(0|[1-9]\d{0,14})(\.\d{1,4})?$/, 'must be a decimal number as text, such as "12.50"'),
})

const oneOf = (values: readonly string[]): z.ZodType<string> =>
  z.string().refine((value) => values.includes(value), `must be one of ${values.join(', ')}`)

const values: Readonly<Record<DetailField['kind'], (field: DetailField) => z.ZodType>> = {
  text: () => asWritten,
  number: () => z.number().min(-1e15).max(1e15),
  flag: () => z.boolean(),
  choice: ({ values: allowed = [] }) => oneOf(allowed),
  list: ({ values: allowed }) =>
    z
      .array(allowed === undefined ? asWritten : oneOf(allowed))
      .min(1, 'must not be empty')
      .max(longestList, `must have at most ${longestList} entries`),
  amount: () => amount,
  group: ({ fields = [] }) => z.strictObject(shapeOf(fields)),
}

const checkOf = (field: DetailField): z.ZodType => values[field.kind](field)
