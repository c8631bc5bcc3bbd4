import { IntlMessageFormat } from 'intl-messageformat'
import de from '../../views/messages/de.json' with { type: 'json' }
import en from '../../views/messages/en.json' with { type: 'json' }

/** The name of a message; English is the complete set that the others translate. */
export type MessageKey = keyof typeof en

/** Values for the placeholders of an ICU message; plain text, never markup. */
export type MessageParams = Readonly<Record<string, string | number | Date>>

/** Formats one message of a locale. Throws on an unknown key or a missing parameter. */
export type Translate = (key: MessageKey, params?: MessageParams) => string

const fallbackLocale = 'en'

/** Every locale that has a message file, by BCP 47 tag. A new language is a file and a line here. */
export const catalogues: Readonly<Record<string, Readonly<Record<string, string>>>> = { en, de }

/**
 * Compiles all message files, so that a malformed message stops the start and not a page.
 * Returns a translator per locale; a locale's missing message falls back to English.
 */
export function openMessages(files = catalogues): (locale: string) => Translate {
  const compiled = new Map(
    Object.entries(files).map(([locale, messages]) => [
      locale,
      new Map(Object.entries(messages).map(([key, text]) => [key, compile(text, locale)])),
    ]),
  )
  return (locale) => (key, params) => {
    const message = compiled.get(locale)?.get(key) ?? compiled.get(fallbackLocale)?.get(key)
    if (message === undefined) throw new Error(`No message named ${key}`)
    return String(message.format(params))
  }
}

/**
 * Chooses among the message files: `ui_locales` (OpenID Connect Core §3.1.2.1, space-separated, in order of
 * preference) before Accept-Language (RFC 9110 §12.5.4), each by the lookup of RFC 4647 §3.4. Malformed
 * input is ignored; English where nothing matches.
 */
export function pickLocale(candidates: { uiLocales?: string; acceptLanguage?: string }): string {
  const ranges = [...uiLocaleRanges(candidates.uiLocales), ...acceptLanguageRanges(candidates.acceptLanguage)]
  for (const range of ranges) {
    const found = lookUp(range)
    if (found !== undefined) return found
  }
  return fallbackLocale
}

function compile(text: string, locale: string): IntlMessageFormat {
  return new IntlMessageFormat(text, locale, undefined, { ignoreTag: true })
}

const maximumRanges = 20
const rangePattern = /^[a-z]{1,8}(-[a-z0-9]{1,8}){0,8}$/i

function uiLocaleRanges(value = ''): string[] {
  return value
    .slice(0, 500)
    .split(' ')
    .filter((range) => rangePattern.test(range))
    .slice(0, maximumRanges)
}

function acceptLanguageRanges(value = ''): string[] {
  return value
    .slice(0, 500)
    .split(',')
    .slice(0, maximumRanges)
    .flatMap((entry) => {
      const match = /^\s*([a-z0-9-]+)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i.exec(entry)
      const [, range = '', weight = '1'] = match ?? []
      return rangePattern.test(range) && Number(weight) > 0 ? [{ range, weight: Number(weight) }] : []
    })
    .sort((a, b) => b.weight - a.weight)
    .map(({ range }) => range)
}

// RFC 4647 §3.4: shorten from the end. Its rule for single-character subtags is met, as no catalogue ends in one.
function lookUp(range: string): string | undefined {
  const subtags = range.toLowerCase().split('-')
  while (subtags.length > 0) {
    const tag = subtags.join('-')
    const found = Object.keys(catalogues).find((locale) => locale.toLowerCase() === tag)
    if (found !== undefined) return found
    subtags.pop()
  }
  return undefined
}
