import { absoluteUri, displayText, hasNoUserinfo } from '../../kernel/fields.ts'
import type { Text } from '../../kernel/text.ts'
import { type FieldKind, type StandardField, standardFields } from './catalogue.ts'
import { fieldInvalid, fieldRequired } from './profiles.ts'
import type { ConfiguredField } from './settings.ts'

/** A field of a profile, as its forms and claims need it. */
export type ProfileField = Omit<ConfiguredField, 'label'> & StandardField

/** What a profile holds, by the field’s name. */
export type FieldValues = Readonly<Record<string, string>>
/** What becomes of it; `null` empties a field. */
export type FieldChanges = Readonly<Record<string, string | null>>

/** Characters of a field of one line. */
export const longestLine = 200
/** Characters of a field of several lines. */
export const longestLines = 500
const mostLines = 8
const line = displayText(longestLine)

/** What is configured, in its order; a field of somebody's own is given with the profile (OpenID Connect Core 1.0 §5.1.2). */
export const profileFields = (configured: readonly ConfiguredField[]): readonly ProfileField[] =>
  configured.map(({ label, ...field }) => {
    const own: Text = { key: 'profiles.own-label', params: { label: label ?? field.name } }
    const standard = standardFields[field.name]
    return standard === undefined
      ? { ...field, label: own, kind: 'line', scope: 'profile', autocomplete: 'off' }
      : { ...field, ...standard }
  })

/** What a form says of fields, in canonical form. Throws `profiles.…_invalid` and `profiles.field_required`, with the field. */
export function parseFields(
  fields: readonly ProfileField[],
  form: Readonly<Record<string, string>>,
  now: Date,
): FieldChanges {
  return Object.fromEntries(
    fields.map((field) => {
      const text = (form[field.name] ?? '').trim()
      if (text === '' && field.required) throw fieldRequired(field.name)
      return [field.name, text === '' ? null : parseValue(field, text, now)]
    }),
  )
}

function parseValue({ name, kind }: Pick<ProfileField, 'name' | 'kind'>, text: string, now: Date): string {
  const value = parsers[kind](text, now)
  if (value === undefined) throw fieldInvalid(name, kind)
  return value
}

/** One line of printable text; `undefined` for anything else. */
export const parseLine = (text: string): string | undefined => line.safeParse(text).data

const parsers: Readonly<Record<FieldKind, (text: string, now: Date) => string | undefined>> = {
  line: parseLine,

  /** E.164, as OpenID Connect Core 1.0 §5.1 recommends it. */
  phone(text) {
    const digits = text
      .normalize('NFKC')
      .replace(/[\s().\-/]/g, '')
      .replace(/^00/, '+')
    return /^\+[1-9]\d{6,14}$/.test(digits) ? digits : undefined
  },

  link: (text) =>
    absoluteUri.safeParse(text).success && /^https?:\/\//.test(text) && hasNoUserinfo(text)
      ? text
      : undefined,

  lines(text) {
    const lines = text
      .replace(/\r\n?/g, '\n')
      .split('\n')
      .map((each) => each.trim())
    const filled = lines.filter((each) => each !== '').map(parseLine)
    const whole = filled.join('\n')
    if (filled.includes(undefined) || filled.length > mostLines || whole.length > longestLines)
      return undefined
    return whole
  },

  /** A day of the calendar from 1900 to today (ISO 8601 YYYY-MM-DD). */
  date(text, now) {
    const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []
    const at = new Date(`${year}-${month}-${day}T00:00:00Z`)
    const isDay = !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
    return isDay && at <= now && at.getUTCFullYear() >= 1900 ? text : undefined
  },
}
