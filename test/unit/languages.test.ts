import { describe, expect, it } from 'vitest'
import { directionOf } from '../../src/pages/direction.ts'
import { languageName, pickLocale } from '../../src/pages/languages.ts'
import { locales } from '../../src/pages/messages.ts'

describe('the language', () => {
  it.each([
    ['the first of ui_locales that exists', { uiLocales: 'sv de en' }, 'de'],
    ['a language for its region', { uiLocales: 'de-CH-1996' }, 'de'],
    ['a language regardless of case', { uiLocales: 'DE-at' }, 'de'],
    ['a range with an extension, whose singleton goes with it', { uiLocales: 'de-u-co-phonebk' }, 'de'],
    ['ui_locales before Accept-Language', { uiLocales: 'en', acceptLanguage: 'de' }, 'en'],
    ['ui_locales before the person’s own setting', { uiLocales: 'en', userLocale: 'de' }, 'en'],
    ['the person’s own setting before the browser’s', { userLocale: 'de', acceptLanguage: 'en' }, 'de'],
    [
      'the browser’s where the person’s own is none of ours',
      { userLocale: 'sv', acceptLanguage: 'de' },
      'de',
    ],
    ['Accept-Language where ui_locales has nothing', { uiLocales: 'sv', acceptLanguage: 'de' }, 'de'],
    ['the heaviest of Accept-Language', { acceptLanguage: 'en;q=0.3, sv, de;q=0.8' }, 'de'],
    ['the first of equal weights', { acceptLanguage: 'de-DE,en-US' }, 'de'],
    ['nothing that is refused with q=0', { acceptLanguage: 'de;q=0' }, 'en'],
    ['English where a wildcard allows anything', { acceptLanguage: '*' }, 'en'],
    ['no prefix of a longer word', { uiLocales: 'dex' }, 'en'],
    ['a language by its other code', { uiLocales: 'deu' }, 'de'],
    ['English for nothing', {}, 'en'],
    [
      'English for malformed input',
      { uiLocales: '../de __proto__ de_DE', acceptLanguage: ';;;q=,=,\u0000,de;q=2,de;q=x' },
      'en',
    ],
    ['what stands behind malformed input', { acceptLanguage: '@@, de' }, 'de'],
    ['English for input without end', { acceptLanguage: `${'x-'.repeat(100_000)},de` }, 'en'],
    ['English for a tag that is none', { uiLocales: 'a-b-c x-y 12-34' }, 'en'],
    ['Brazilian Portuguese for any Portuguese', { acceptLanguage: 'pt' }, 'pt-BR'],
    ['Brazilian Portuguese in Portugal', { acceptLanguage: 'pt-PT,en;q=0.5' }, 'pt-BR'],
    ['Simplified Chinese for Chinese', { acceptLanguage: 'zh' }, 'zh-Hans'],
    ['Simplified Chinese in China', { acceptLanguage: 'zh-CN,zh;q=0.9' }, 'zh-Hans'],
    ['Simplified Chinese in Singapore', { uiLocales: 'zh-SG' }, 'zh-Hans'],
    ['Simplified Chinese by its full tag', { uiLocales: 'zh-hans-cn' }, 'zh-Hans'],
    ['not Simplified Chinese where the Traditional is read', { acceptLanguage: 'zh-TW,fr;q=0.5' }, 'fr'],
    ['not Simplified Chinese in Hong Kong', { acceptLanguage: 'zh-Hant-HK' }, 'en'],
    ['Chinese in any writing for whoever says so', { acceptLanguage: 'zh-TW,zh;q=0.9,en;q=0.8' }, 'zh-Hans'],
    ['Arabic for a country', { acceptLanguage: 'ar-EG' }, 'ar'],
    ['Spanish for a continent', { acceptLanguage: 'es-419' }, 'es'],
  ])('is %s', (_, candidates, locale) => {
    expect(pickLocale(candidates)).toBe(locale)
  })

  it('is found under the tag of each of ours', () => {
    for (const locale of locales) expect(pickLocale({ uiLocales: locale })).toBe(locale)
  })

  it('is written from right to left in Arabic alone', () => {
    expect(locales.filter((locale) => directionOf(locale) === 'rtl')).toEqual(['ar'])
  })

  it('is called by its own name', () => {
    expect(['de', 'fr', 'pt-BR', 'zh-Hans', 'ar'].map(languageName)).toEqual([
      'Deutsch',
      'Français',
      'Português (Brasil)',
      '简体中文',
      'العربية',
    ])
  })
})
