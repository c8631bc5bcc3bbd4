import { fallbackLocale, locales } from './messages.ts'

/** Where a person's languages come from, the first that leads to one of ours winning. */
export interface LocaleCandidates {
  /** The application's word of what the person prefers: space-separated, in order (OpenID Connect Core 1.0 §3.1.2.1). */
  readonly uiLocales?: string | undefined
  /** What the person chose for himself on the pages of his account. */
  readonly userLocale?: string | undefined
  /** What the browser prefers (RFC 9110 §12.5.4). */
  readonly acceptLanguage?: string | undefined
}

/** One of our languages; English where nothing matches. Malformed input is ignored. */
export function pickLocale({ uiLocales, userLocale, acceptLanguage }: LocaleCandidates): string {
  const ranges = [...rangesIn(uiLocales), ...rangesIn(userLocale), ...acceptLanguageRanges(acceptLanguage)]
  for (const range of ranges) {
    const found = lookUp(range) ?? sameWriting(range)
    if (found !== undefined) return found
  }
  return fallbackLocale
}

/** A language by its own name, such as Deutsch. */
export function languageName(locale: string): string {
  const name = new Intl.DisplayNames(locale, { type: 'language' }).of(locale)
  return name === undefined ? locale : name.charAt(0).toLocaleUpperCase(locale) + name.slice(1)
}

/** Every language of the pages, each in its own words, sorted by them. */
export const languages = (): readonly { readonly tag: string; readonly name: string }[] =>
  locales
    .map((tag) => ({ tag, name: languageName(tag) }))
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en'))

const maximumRanges = 20
const rangePattern = /^[a-z]{1,8}(-[a-z0-9]{1,8}){0,8}$/i

const rangesIn = (value = ''): string[] =>
  value
    .slice(0, 500)
    .split(' ')
    .filter((range) => rangePattern.test(range))
    .slice(0, maximumRanges)

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
    const found = locales.find((locale) => locale.toLowerCase() === tag)
    if (found !== undefined) return found
    subtags.pop()
  }
  return undefined
}

/**
 * The same language in the same writing (UTS #35, Likely Subtags): `pt` and `pt-PT` find `pt-BR`; `zh` and `zh-CN` find
 * `zh-Hans`, `zh-TW` does not, as its readers write otherwise.
 */
function sameWriting(range: string): string | undefined {
  const wanted = writingOf(range)
  return wanted === undefined ? undefined : locales.find((locale) => writingOf(locale) === wanted)
}

function writingOf(tag: string): string | undefined {
  try {
    const { language, script } = new Intl.Locale(tag).maximize()
    return `${language}-${script}`
  } catch {
    return undefined
  }
}
