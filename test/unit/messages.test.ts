import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { IntlMessageFormat } from 'intl-messageformat'
import { describe, expect, it } from 'vitest'
import { catalogues, openMessages, pickLocale } from '../../src/pages/messages.ts'

const root = join(import.meta.dirname, '../..')
const directory = join(root, 'views')
const english = Object.keys(catalogues.en ?? {})

describe('messages', () => {
  it.each(Object.keys(catalogues))('are complete in %s', (locale) => {
    expect(Object.keys(catalogues[locale] ?? {}).sort()).toEqual(english.toSorted())
  })

  it.each(english)('take the same parameters in every language: %s', (key) => {
    const parameters = Object.entries(catalogues).map(([locale, messages]) =>
      parametersOf(messages[key] ?? '', locale),
    )
    expect(new Set(parameters).size).toBe(1)
  })

  it('exist for every key that a template names', () => {
    const keys = keysIn(sources(directory, '.eta'))
    expect(keys.size).toBeGreaterThan(50)
    expect([...keys].filter((key) => !english.includes(key))).toEqual([])
  })

  it('are all in use', () => {
    const used = keysIn([
      ...sources(directory, '.eta'),
      ...sources(join(root, 'src'), '.ts'),
      ...sources(join(root, 'test/support'), '.ts'),
    ])
    expect(english.filter((key) => !used.has(key))).toEqual([])
  })

  it('fall back to English, and throw where English misses too', () => {
    const t = openMessages({ en: { 'page.home': 'Home' }, xx: {} })('xx')
    expect(t('page.home')).toBe('Home')
    expect(() => t('page.skip')).toThrow('page.skip')
  })

  it('throw where a parameter is missing', () => {
    expect(() => openMessages()('en')('sign-in.title')).toThrow('client')
  })

  it('never show a parameter as a message of its own', () => {
    expect(openMessages()('en')('sign-in.title', { client: '{brand}' })).toBe('Sign in to {brand}')
  })
})

describe('the language', () => {
  it.each([
    ['the first of ui_locales that exists', { uiLocales: 'fr de en' }, 'de'],
    ['a language for its region', { uiLocales: 'de-CH-1996' }, 'de'],
    ['a language regardless of case', { uiLocales: 'DE-at' }, 'de'],
    ['a range with an extension, whose singleton goes with it', { uiLocales: 'de-u-co-phonebk' }, 'de'],
    ['ui_locales before Accept-Language', { uiLocales: 'en', acceptLanguage: 'de' }, 'en'],
    ['Accept-Language where ui_locales has nothing', { uiLocales: 'fr', acceptLanguage: 'de' }, 'de'],
    ['the heaviest of Accept-Language', { acceptLanguage: 'en;q=0.3, fr, de;q=0.8' }, 'de'],
    ['the first of equal weights', { acceptLanguage: 'de-DE,en-US' }, 'de'],
    ['nothing that is refused with q=0', { acceptLanguage: 'de;q=0' }, 'en'],
    ['English where a wildcard allows anything', { acceptLanguage: '*' }, 'en'],
    ['no prefix of a longer word', { uiLocales: 'deu' }, 'en'],
    ['English for nothing', {}, 'en'],
    [
      'English for malformed input',
      { uiLocales: '../de __proto__ de_DE', acceptLanguage: ';;;q=,=,\u0000,de;q=2,de;q=x' },
      'en',
    ],
    ['what stands behind malformed input', { acceptLanguage: '@@, de' }, 'de'],
    ['English for input without end', { acceptLanguage: `${'x-'.repeat(100_000)},de` }, 'en'],
  ])('is %s', (_, candidates, locale) => {
    expect(pickLocale(candidates)).toBe(locale)
  })
})

function parametersOf(text: string, locale: string): string {
  const names = [
    ...JSON.stringify(new IntlMessageFormat(text, locale, undefined, { ignoreTag: true }).getAst()).matchAll(
      /"type":[1-6],"value":"(\w+)"/g,
    ),
  ]
  return [...new Set(names.map(([, name]) => name))].sort().join()
}

function sources(folder: string, extension: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension) && !file.includes('generated'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
}

function keysIn(texts: readonly string[]): Set<string> {
  const assets = new Set(['latchkey.css', 'latchkey.js', 'logo.svg'])
  return new Set(
    texts
      .flatMap((text) =>
        [...text.matchAll(/'([a-z]+(?:-[a-z]+)*(?:\.[a-z]+(?:-[a-z]+)*)+)'/g)].map(([, key = '']) => key),
      )
      .filter((key) => !assets.has(key)),
  )
}
