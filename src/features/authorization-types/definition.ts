import { z } from 'zod'
import { displayText, instant } from '../../kernel/fields.ts'
import type { Field } from '../../kernel/resource.ts'
import type { FeatureDefinition } from '../feature.ts'

/** What a field of authorization details may hold. */
export const fieldKinds = ['text', 'number', 'flag', 'choice', 'list', 'amount', 'group'] as const

export type FieldKind = (typeof fieldKinds)[number]

const fieldMaximum = 40
const valueMaximum = 100

/** The name of a type (RFC 9396 §2): a short name or a URI. */
const typeName = z
  .string()
  .max(200, 'must have at most 200 characters')
  .regex(
    /^[A-Za-z][\w.~:/?#@!$&'()*+,;=%-]*$/,
    'must begin with a letter and be a name or URI without spaces, such as payment_initiation',
  )
  .refine(
    (text) => text !== 'openid_credential',
    'must not be openid_credential, which has a meaning of its own',
  )

/** Members of an object that the language itself gives a meaning. */
const unusable = new Set(['type', '__proto__', 'constructor', 'prototype'])

const fieldName = z
  .string()
  .regex(/^[A-Za-z][\w-]{0,63}$/, 'must begin with a letter and have at most 64 letters, digits, _ and -')
  .refine((name) => !unusable.has(name), 'must be another name, as this one has a meaning of its own')

const member = {
  name: fieldName,
  label: displayText(100).optional(),
  kind: z.enum(fieldKinds, `must be one of ${fieldKinds.join(', ')}`),
  required: z.boolean().default(false),
  values: z.array(displayText(200)).min(1, 'must name a value').max(valueMaximum).optional(),
}

const hasValues = ({ kind, values }: { kind: FieldKind; values?: unknown }): boolean =>
  kind === 'choice' ? values !== undefined : values === undefined || kind === 'list'

const hasFields = ({ kind, fields }: { kind: FieldKind; fields?: unknown }): boolean =>
  (kind === 'group') === (fields !== undefined)

const valuesWanted =
  'must have values where it is a choice, and may have them where it is a list, but not otherwise'

const plainField = z
  .strictObject(member)
  .refine(({ kind }) => kind !== 'group', 'must not be a group within a group')
  .refine(hasValues, valuesWanted)

const uniqueNames = (fields: readonly { readonly name: string }[]): boolean =>
  new Set(fields.map(({ name }) => name)).size === fields.length

const fieldsOf = <T extends { readonly name: string }>(item: z.ZodType<T>): z.ZodType<T[]> =>
  z
    .array(item)
    .max(fieldMaximum, `must have at most ${fieldMaximum} entries`)
    .refine(uniqueNames, 'must not name the same twice')

const detailField = z
  .strictObject({ ...member, fields: fieldsOf(plainField).optional() })
  .refine(hasValues, valuesWanted)
  .refine(hasFields, 'must have fields where it is a group, and only there')

export type DetailField = z.infer<typeof detailField>

const fields = {
  type: {
    schema: typeName,
    documentation:
      'What applications write as `type`: a short name or a URI, compared character by character. It cannot be changed later.',
    writable: 'create',
    column: true,
  },
  title: {
    schema: displayText(100),
    documentation: 'What people read when they are asked, such as "Make a payment".',
    writable: 'always',
    column: true,
  },
  description: {
    schema: z.union([z.literal(''), displayText(300)]).default(''),
    documentation: 'A sentence more, for the same page.',
    writable: 'always',
    optional: true,
  },
  state: {
    schema: z.enum(['active', 'disabled']),
    documentation: 'Details of a disabled one are refused, and no token is issued with them.',
    writable: 'never',
    column: true,
  },
  fields: {
    schema: fieldsOf(detailField).default([]),
    documentation: `What details of it hold: a list of { name, kind, required, label, values, fields }. Kinds: ${fieldKinds.join(', ')}. Whatever is not declared is refused.`,
    writable: 'always',
    optional: true,
  },
  remember: {
    schema: z.boolean().default(false),
    documentation:
      'Whether exactly the same details, once allowed, are given again without asking. Leave it off for what happens once, such as a payment.',
    writable: 'always',
    optional: true,
  },
  createdAt: { schema: instant, documentation: 'When it was made.', writable: 'never' },
  updatedAt: { schema: instant, documentation: 'When it was last changed.', writable: 'never' },
} satisfies Readonly<Record<string, Field>>

export const typeActions = [
  {
    name: 'disable',
    documentation: 'Refuse details of this type from now on, and leave them out of new tokens.',
    input: {},
  },
  { name: 'enable', documentation: 'Accept details of this type again after it was disabled.', input: {} },
] as const

/** What the feature is, known without a database. */
export const authorizationTypesDefinition = {
  name: 'authorization-types',
  resource: {
    name: 'authorization-types',
    singular: 'authorization type',
    documentation:
      'Types of authorization details, by which applications ask for one thing in all its particulars.',
    fields,
    actions: typeActions,
  },
} as const satisfies FeatureDefinition
