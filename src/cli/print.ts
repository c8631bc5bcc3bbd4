import type { Outcome, ResourceDefinition } from '../kernel/resource.ts'
import { kebab } from './words.ts'

type Shown = Readonly<Record<string, unknown>>

/** What of an item is shown: its identifier and the fields of its definition, and nothing it may carry besides. */
export function shown({ fields }: ResourceDefinition, item: { readonly id: string }): Shown {
  const values = item as unknown as Shown
  const names = Object.keys(fields).filter((name) => name !== 'id' && values[name] !== undefined)
  return Object.fromEntries([['id', item.id], ...names.map((name) => [name, values[name]])])
}

/** Text that a terminal shows as it is: control characters would move its cursor or worse. */
export const plain = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')

export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Rows below their headings, in columns. */
export function table(headings: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [headings.map((heading) => kebab(heading).toUpperCase()), ...rows.map((row) => row.map(cell))]
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  const lines = cells.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

/** The columns of a list of items. */
export function itemTable(definition: ResourceDefinition, items: readonly { readonly id: string }[]): string {
  const columns = Object.entries(definition.fields).filter(
    ([name, { column }]) => name !== 'id' && column === true,
  )
  const names = ['id', ...columns.map(([name]) => name)]
  const rows = items.map((item) => {
    const values = shown(definition, item)
    return names.map((name) => values[name])
  })
  return table(names, rows)
}

/** One item, a line for each value. */
export function itemText(definition: ResourceDefinition, item: { readonly id: string }): string {
  const entries = Object.entries(shown(definition, item)).filter(([, value]) => !isEmpty(value))
  const width = Math.max(...entries.map(([name]) => kebab(name).length))
  return entries
    .flatMap(([name, value]) => {
      const lines = Array.isArray(value) ? value.map(cell) : [cell(value)]
      return lines.map((line, index) => `${(index === 0 ? kebab(name) : '').padEnd(width)}  ${line}\n`)
    })
    .join('')
}

/** Values that are shown this once, set apart so that nobody overlooks them. */
export function revealsText(reveals: Outcome<unknown>['reveals'] = {}): string {
  const lines = Object.entries(reveals).map(([name, value]) => `  ${kebab(name)}: ${plain(value)}\n`)
  if (lines.length === 0) return ''
  return `\nShown this once. Store it now; it cannot be shown again.\n\n${lines.join('')}`
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

function cell(value: unknown): string {
  if (isEmpty(value)) return '-'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.map(cell).join(', ')
  if (value instanceof Date) return value.toISOString()
  return plain(typeof value === 'object' ? objectText(value as Shown) : String(value))
}

const objectText = (value: Shown): string =>
  Object.entries(value)
    .filter(([, part]) => !isEmpty(part))
    .map(
      ([name, part]) => `${kebab(name)}: ${typeof part === 'object' ? JSON.stringify(part) : String(part)}`,
    )
    .join(', ')
