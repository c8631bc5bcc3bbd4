import { IntlMessageFormat } from 'intl-messageformat'
import type { CatalogueRead } from './catalogues.ts'
import { sameAsEnglish } from './same-words.ts'

type Element = ReturnType<IntlMessageFormat['getAst']>[number]

/**
 * Faults of one language: messages that are malformed, and where it is not the faithful translation of English. What a
 * control is called for those who do not see it holds what it shows (`<key>-named`; WCAG 2.2, 2.5.3).
 */
export function faultsOfLanguage(own: CatalogueRead, english: CatalogueRead): readonly string[] {
  const { locale, messages } = own
  const place = (file: string, key: string): string => `views/messages/${locale}/${file}: ${key}`
  const missing = [...english.messages].flatMap(([key, { file }]) =>
    messages.has(key) ? [] : [`${place(file, key)} is missing`],
  )
  const others = [...messages].flatMap(([key, { file, text }]) => {
    const original = english.messages.get(key)
    if (original === undefined) return [`${place(file, key)} is not in English`]
    const faults = [
      ...(original.file === file ? [] : [`belongs into ${original.file}, where it is in English`]),
      ...faultsOfText(text, locale),
      ...(own === english ? [] : faultsOfTranslation(text, original.text, locale)),
    ]
    return faults.map((fault) => `${place(file, key)} ${fault}`)
  })
  const unnamed = [...messages].flatMap(([key, { file, text }]) => {
    const named = messages.get(`${key}-named`)?.text
    if (named === undefined || named.toLowerCase().includes(text.toLowerCase())) return []
    return [
      `${place(file, `${key}-named`)} does not say “${text}”, which whoever speaks to the page reads there`,
    ]
  })
  return [...own.faults, ...missing, ...others, ...unnamed]
}

function faultsOfText(text: string, locale: string): readonly string[] {
  const shape = shapeOf(text, locale)
  if (typeof shape === 'string') return [`is malformed: ${shape}`]
  return [
    ...(text.trim() === '' || text !== text.trim() ? ['is empty, or has spaces around it'] : []),
    ...(/ {2}/.test(text) ? ['has two spaces in a row'] : []),
    ...(/<[a-z/!]|&(?:[a-z]+|#\d+);/i.test(text) ? ['holds markup'] : []),
    ...shape.plurals.flatMap((plural) => faultsOfPlural(plural, locale)),
  ]
}

function faultsOfTranslation(text: string, original: string, locale: string): readonly string[] {
  const [own, english] = [shapeOf(text, locale), shapeOf(original, 'en')]
  if (typeof own === 'string' || typeof english === 'string') return []
  const same = text === original && /\p{L}/u.test(english.words) && !isSame(text, locale)
  return [
    ...(own.arguments === english.arguments
      ? []
      : [`takes {${own.arguments}} instead of {${english.arguments}}`]),
    ...(same ? ['is still in English; what is the same in both goes into test/checks/same-words.ts'] : []),
  ]
}

const isSame = (text: string, locale: string): boolean => sameAsEnglish[text]?.includes(locale) ?? false

interface Plural {
  readonly type: Intl.PluralRuleType
  readonly options: readonly string[]
}

interface Shape {
  /** The names of the arguments, and the choices of those that select. */
  readonly arguments: string
  readonly plurals: readonly Plural[]
  /** What is not an argument. */
  readonly words: string
}

/** What a message is made of; the parser's complaint where it is malformed. */
function shapeOf(text: string, locale: string): Shape | string {
  try {
    const elements = flat(new IntlMessageFormat(text, locale, undefined, { ignoreTag: true }).getAst())
    return {
      arguments: [...new Set(elements.flatMap(argumentOf))].sort().join(', '),
      plurals: elements.flatMap(pluralOf),
      words: elements.flatMap((element) => (isWords(element) ? [element.value] : [])).join(' '),
    }
  } catch (error) {
    return String(error)
  }
}

const isWords = (element: Element) => element.type === 0
const hasOptions = (element: Element) => element.type === 5 || element.type === 6

const flat = (elements: readonly Element[]): readonly Element[] =>
  elements.flatMap((element) => [
    element,
    ...(hasOptions(element) ? Object.values(element.options).flatMap(({ value }) => flat(value)) : []),
  ])

function argumentOf(element: Element): readonly string[] {
  if (element.type === 0 || element.type === 7) return []
  if (element.type !== 5) return [element.value]
  return [`${element.value} (${Object.keys(element.options).sort().join(' or ')})`]
}

function pluralOf(element: Element): readonly Plural[] {
  if (element.type !== 6) return []
  return [{ type: element.pluralType ?? 'cardinal', options: Object.keys(element.options) }]
}

/** The categories that the language has (UTS #35, Plurals), and those that the whole numbers below 200 need. */
function faultsOfPlural({ type, options }: Plural, locale: string): readonly string[] {
  const rules = new Intl.PluralRules(locale, { type })
  const known = rules.resolvedOptions().pluralCategories
  const counts = Array.from({ length: 200 }, (_, count) => count).filter(
    (count) => !options.includes(`=${count}`),
  )
  const needed = new Set(counts.map((count) => rules.select(count)))
  const unknown = options.filter((option) => !/^=\d+$/.test(option) && !known.some((each) => each === option))
  const missing = [...needed].filter((category) => !options.includes(category))
  return [
    ...unknown.map((option) => `has the plural ${option}, which ${locale} has not`),
    ...missing.map((category) => `lacks the plural ${category}`),
  ]
}
