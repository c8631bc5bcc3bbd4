import { z } from 'zod'
import type { Setting } from '../../kernel/settings.ts'
import { isReserved, isStandard } from './catalogue.ts'

/** A field as it is configured. */
export interface ConfiguredField {
  readonly name: string
  /** What an own field is called on the pages. */
  readonly label?: string
  /** Asked for when an account is made. */
  readonly register: boolean
  /** Must be filled in when an account is made, and not be emptied. */
  readonly required: boolean
  /** The person sees it, and an administrator alone changes it. */
  readonly fixed: boolean
}

const words = ['register', 'required', 'fixed'] as const
type Word = (typeof words)[number]

const entrySyntax = /\s*([^\s:,"]+)(?:\s*:\s*"([^"]*)")?((?:\s+[^\s:,"]+)*)\s*(?:,|$)/y
const nameSyntax = /^[a-z][a-z0-9_]{0,39}$/
const longestLabel = 60
const mostFields = 40

const fields = z.string().transform((text, context): readonly ConfiguredField[] => {
  const found: ConfiguredField[] = []
  const refuse = (message: string): never => {
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  entrySyntax.lastIndex = 0
  while (entrySyntax.lastIndex < text.length) {
    const at = entrySyntax.lastIndex
    const match = entrySyntax.exec(text)
    if (match === null) return refuse(`cannot be read from ${text.slice(at, at + 30)}`)
    const field = fieldOf(match)
    if (typeof field === 'string') return refuse(field)
    if (found.some(({ name }) => name === field.name)) return refuse(`${field.name} is there twice`)
    found.push(field)
  }
  return found.length > mostFields ? refuse(`must have at most ${mostFields} fields`) : found
})

/** The field, or what is wrong with it. */
function fieldOf([, name = '', label, rest = '']: RegExpExecArray): ConfiguredField | string {
  const said = rest.split(/\s+/).filter((word) => word !== '')
  const unknown = said.find((word) => !(words as readonly string[]).includes(word))
  if (unknown !== undefined) return `${name}: ${unknown} is none of ${words.join(', ')}`
  if (!nameSyntax.test(name))
    return `${name}: a name has small letters, digits and _, and begins with a letter`
  if (isReserved(name)) return `${name}: this claim has a meaning of its own`
  if (isStandard(name) && label !== undefined) return `${name}: a standard claim has its label already`
  if (!isStandard(name) && (label === undefined || label.trim() === '' || label.length > longestLabel))
    return `${name}: a field of your own needs a label of at most ${longestLabel} characters, as in ${name}:"Label"`
  const is = (word: Word): boolean => said.includes(word)
  const required = is('required')
  return {
    name,
    register: is('register') || required,
    required,
    fixed: is('fixed'),
    ...(label !== undefined && { label: label.trim() }),
  }
}

const fieldsSetting: Setting<readonly ConfiguredField[]> = {
  schema: fields,
  type: 'list of fields',
  fallback: [],
  documentation:
    'What a profile holds beside the names: the standard claims middle_name, nickname, profile, website, gender, birthdate, phone_number and address, and fields of your own as name:"Label". Words after a field: register (asked for when an account is made), required (that, and it cannot stay empty), fixed (only administrators change it later). An example: nickname, phone_number register, department:"Department" required fixed.',
  secret: false,
}

export const settings = { fields: fieldsSetting }
