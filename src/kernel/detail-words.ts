import type { AuthorizationDetail } from './authorization-details.ts'
import type { Text } from './text.ts'

/** A registered type, as far as people are told of it. */
export interface DetailTypeView {
  readonly title: string
  readonly description: string
  readonly fields: readonly DetailFieldView[]
}

export interface DetailFieldView {
  readonly name: string
  readonly label?: string | undefined
  readonly kind: string
  readonly fields?: readonly DetailFieldView[] | undefined
}

/** What is asked in detail (RFC 9396), in words: every member of it, so that nothing is allowed unseen. */
export interface DetailView {
  readonly title: string
  readonly description: string
  readonly rows: readonly { readonly label: string; readonly value: Text | string }[]
}

type Rows = DetailView['rows']
type FieldViews = DetailTypeView['fields']

/** Says a detail in the words of its type, and by its own names where the type is none that is known. */
export const detailView = (detail: AuthorizationDetail, type: DetailTypeView | undefined): DetailView => {
  const { type: name, ...members } = detail
  return {
    title: type?.title ?? name,
    description: type?.description ?? '',
    rows: rowsOf(members, type?.fields ?? []),
  }
}

/** In the order in which the type declares them; what it does not declare comes last, by its own name. */
function rowsOf(members: Readonly<Record<string, unknown>>, fields: FieldViews): Rows {
  const declared = fields.map(({ name }) => name).filter((name) => Object.hasOwn(members, name))
  const others = Object.keys(members).filter((name) => !declared.includes(name))
  return [...declared, ...others].flatMap((name) => {
    const field = fields.find((each) => each.name === name)
    const value = members[name]
    if (field?.kind === 'group' && isObject(value)) return rowsOf(value, field.fields ?? [])
    return [{ label: field?.label ?? name, value: valueText(value, field?.kind) }]
  })
}

function valueText(value: unknown, kind: string | undefined): Text | string {
  if (value === true) return { key: 'consent.yes' }
  if (value === false) return { key: 'consent.no' }
  if (kind === 'amount' && isObject(value)) return `${value.amount} ${value.currency}`
  if (Array.isArray(value)) return value.join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
