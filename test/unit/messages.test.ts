import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/kernel/errors.ts'
import { fieldErrors } from '../../src/pages/field-errors.ts'
import { type Catalogue, locales, openMessages, readCatalogue } from '../../src/pages/messages.ts'
import { problemOf } from '../../src/pages/problems.ts'

const two: Readonly<Record<string, Catalogue>> = {
  en: { 'page.home': 'Home', 'page.count': '{count, plural, one {# page} other {# pages}}' },
  xx: { 'page.count': '{count, plural, other {# xx}}' },
}
const read = (locale: string): Catalogue => two[locale] ?? {}

describe('messages', () => {
  it('fall back to English, and throw where English misses too', () => {
    const t = openMessages(read).translator('xx')
    expect(t('page.home')).toBe('Home')
    expect(() => t('page.skip')).toThrow('page.skip')
    expect(() => t('constructor')).toThrow('constructor')
  })

  it('count by the rules of the language that they are in', () => {
    const messages = openMessages(read)
    expect(messages.translator('en')('page.count', { count: 1 })).toBe('1 page')
    expect(messages.translator('xx')('page.count', { count: 1 })).toBe('1 xx')
  })

  it('throw where a parameter is missing', () => {
    expect(() => openMessages().translator('en')('sign-in.title')).toThrow('client')
  })

  it('never show a parameter as a message of its own', () => {
    const t = openMessages().translator('en')
    expect(t('sign-in.title', { client: '{brand}' })).toBe('Sign in to {brand}')
    expect(t('sign-in.title', { client: '<b>' })).toBe('Sign in to <b>')
  })

  it('keep what runs the other way from moving their words', () => {
    const messages = openMessages()
    const title = (locale: string, client: string) => messages.translator(locale)('sign-in.title', { client })
    expect(title('ar', 'Acme (test)!')).toContain('\u2068Acme (test)!\u2069')
    expect(title('en', 'مذكرات!')).toBe('Sign in to \u2068مذكرات!\u2069')
    expect(title('en', 'Acme (test)!')).toBe('Sign in to Acme (test)!')
  })

  it('close what a parameter opens, and do not let it end what is theirs', () => {
    const title = (client: string) => openMessages().translator('ar')('sign-in.title', { client })
    expect(title('a\u2069\u202eb\u2067')).toContain('\u2068ab\u2069')
    expect(title('a\u2068b')).toContain('\u2068a\u2068b\u2069\u2069')
  })

  it('choose by a parameter, and count with it, in every direction', () => {
    const t = openMessages().translator('ar')
    expect(t('departures.hint', { wait: 'no', time: '' })).not.toContain('\u2068')
    expect(t('departures.hint', { wait: 'yes', time: '30 days' })).toContain('\u206830 days\u2069')
    expect(t('activity.times', { count: 3 })).toBe('3 مرات')
  })

  it('tell dates and times of UTC, whatever the zone of the server', () => {
    const until = { 'page.until': '{at, date, long}, {at, time, short}' }
    const t = (locale: string) => openMessages(() => until).translator(locale)
    const at = new Date('2026-03-03T23:05:00Z')
    expect(t('en')('page.until', { at })).toMatch(/^March 3, 2026, 11:05\sPM UTC$/)
    expect(t('de')('page.until', { at })).toBe('3. März 2026, 23:05 UTC')
  })

  it('are read when their language is first asked for, and once', () => {
    const asked: string[] = []
    const messages = openMessages((locale) => {
      asked.push(locale)
      return read(locale)
    })
    expect(asked).toEqual([])
    for (let count = 0; count < 3; count += 1) messages.translator('en')('page.count', { count })
    expect(asked).toEqual(['en'])
    messages.translator('xx')('page.count', { count: 1 })
    expect(asked).toEqual(['en', 'xx'])
  })

  it('exist in English first', () => {
    const { has } = openMessages()
    expect(has('page.home')).toBe(true)
    expect(has('page.nowhere')).toBe(false)
    expect(has('toString')).toBe(false)
  })

  it.each(locales)('say something in %s', (locale) => {
    expect(Object.keys(readCatalogue(locale)).length).toBeGreaterThan(50)
    expect(openMessages().translator(locale)('page.home')).not.toBe('')
  })
})

describe('a refusal', () => {
  const messages = { has: (key: string) => key === 'problem.code.wrong' || key === 'problem.code.broken' }
  const wrong = new AppError('code.wrong', 400, 'Wrong.', { field: 'code', params: { left: 2 } })
  const text = { key: 'problem.code.wrong', params: { left: 2 } }

  it('is told by the message of its code, beside the field that it is about', () => {
    expect(problemOf(wrong, messages)).toEqual({ field: 'code', text })
    expect(fieldErrors(wrong, messages)).toEqual({ code: text })
  })

  it('stands above the form where it is about no field', () => {
    const error = new AppError('code.wrong', 400, 'Wrong.')
    expect(problemOf(error, messages)).toEqual({ text: { key: 'problem.code.wrong', params: {} } })
    expect(fieldErrors(error, messages)).toEqual({ form: { key: 'problem.code.wrong', params: {} } })
  })

  it.each([
    ['of our own doing', new AppError('code.broken', 500, 'Broken.')],
    ['without a message', new AppError('code.other', 400, 'Other.')],
    ['that nobody foresaw', new TypeError('x')],
  ])('%s becomes the error page', (_, error) => {
    expect(problemOf(error, messages)).toBeUndefined()
    expect(fieldErrors(error, messages)).toBeUndefined()
  })
})
