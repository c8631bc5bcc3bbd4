import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { IntlMessageFormat } from 'intl-messageformat'
import type { TextParams } from '../kernel/text.ts'
import { directionOf, isolated } from './direction.ts'

/** The name of a message. A check holds that each exists in every language and is used. */
export type MessageKey = string

export type MessageParams = TextParams

/** Formats one message of a locale, its texts isolated from its words. Throws on an unknown key or a missing parameter. */
export type Translate = (key: MessageKey, params?: MessageParams) => string

/** The messages of one language by their keys. */
export type Catalogue = Readonly<Record<string, string>>

/** Where no other language is known or has the words. */
export const fallbackLocale = 'en'
const directory = join(import.meta.dirname, '../../views/messages')

/** Every language there is, by BCP 47 tag: a folder of `views/messages`, with one file for each part of the pages. */
export const locales: readonly string[] = readdirSync(directory, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

/** All messages of a language. A check holds that no two files give the same key. */
export function readCatalogue(locale: string): Catalogue {
  const folder = join(directory, locale)
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return Object.assign(
    {},
    ...files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Catalogue),
  ) as Catalogue
}

export interface Messages {
  /** A translator; a language's missing message falls back to English. */
  translator(locale: string): Translate
  /** Whether there is such a message in English. */
  has(key: MessageKey): boolean
}

/** Reads a language when it is first asked for, and compiles a message when it is first shown. */
export function openMessages(read: (locale: string) => Catalogue = readCatalogue): Messages {
  const languages = new Map<string, Language>()
  const language = (locale: string): Language => {
    const known = languages.get(locale)
    if (known !== undefined) return known
    const opened = openLanguage(locale, read(locale))
    languages.set(locale, opened)
    return opened
  }

  return {
    has: (key) => language(fallbackLocale).message(key) !== undefined,
    translator(locale) {
      const own = language(locale)
      const direction = directionOf(locale)
      return (key, params) => {
        const message = own.message(key) ?? language(fallbackLocale).message(key)
        if (message === undefined) throw new Error(`No message named ${key}`)
        return message
          .formatToParts<Given>(params && given(params))
          .map(({ value }) => (typeof value === 'string' ? value : isolated(value.toString(), direction)))
          .join('')
      }
    },
  }
}

/** A text for a placeholder. As an object it comes out of the formatting as a part of its own; a choice takes it by its text. */
interface Given {
  toString(): string
}

const given = (params: MessageParams) =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === 'string' ? { toString: () => value } : value,
    ]),
  )

interface Language {
  message(key: MessageKey): IntlMessageFormat | undefined
}

function openLanguage(locale: string, catalogue: Catalogue): Language {
  const compiled = new Map<string, IntlMessageFormat>()
  return {
    message(key) {
      const known = compiled.get(key)
      if (known !== undefined || !Object.hasOwn(catalogue, key)) return known
      const message = compileMessage(catalogue[key] ?? '', locale)
      compiled.set(key, message)
      return message
    },
  }
}

/** Dates without a person's time zone are those of UTC, whatever the server's own is. */
const date = { timeZone: 'UTC' } as const
const time = { timeZone: 'UTC', timeZoneName: 'short' } as const
const formats = {
  date: { short: date, medium: date, long: date, full: date },
  time: { short: time, medium: time, long: time, full: time },
}

/** Tags are text like any other: a message holds no markup. Throws where the message is malformed. */
const compileMessage = (text: string, locale: string): IntlMessageFormat =>
  new IntlMessageFormat(text, locale, formats, { ignoreTag: true })
