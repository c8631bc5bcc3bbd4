import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { desktop, openBrowser, type PageOptions, type TestBrowser } from '../support/browser.ts'
import { openGrounds } from '../support/grounds.ts'
import { faultsInScheme, faultsOf, watch } from '../support/page-faults.ts'
import { tour } from '../support/tour.ts'

/** The narrowest that is to work without scrolling sideways (WCAG 2.2, 1.4.10), and 1280 pixels at 400 percent. */
const narrowest = { width: 320, height: 640 } as const

const looks: readonly (readonly [string, PageOptions, Readonly<Record<string, string>>])[] = [
  ['on a desktop in English', { viewport: desktop }, { lang: 'en', dir: 'ltr' }],
  ['on the narrowest phone in Arabic', { viewport: narrowest, locale: 'ar' }, { lang: 'ar', dir: 'rtl' }],
  ['on the narrowest phone in German', { viewport: narrowest, locale: 'de-DE' }, { lang: 'de', dir: 'ltr' }],
]

let browser: TestBrowser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(async () => await browser.close())

describe('every page that a person can come to', () => {
  it.each(looks)(
    'is accessible, fits and breaks no rule of its own in light and dark, %s',
    async (_, options, root) => {
      await using grounds = await openGrounds()
      const tab = await browser.newPage(options)
      tab.setDefaultTimeout(8_000)
      const { faults } = watch(tab, [grounds.latchkey.issuer, grounds.notes.origin])
      const found: Record<string, readonly string[]> = {}
      const stops: string[] = []
      for await (const stop of tour(grounds, tab)) {
        stops.push(stop)
        const html = tab.locator('html')
        expect({ lang: await html.getAttribute('lang'), dir: await html.getAttribute('dir') }).toEqual(root)
        const wrong = [...faults.splice(0), ...(await faultsOf(tab)), ...(await faultsInScheme(tab, 'dark'))]
        await tab.emulateMedia({ colorScheme: 'light' })
        if (wrong.length > 0) found[stop] = wrong
      }
      expect(found).toEqual({})
      expect(stops.length).toBeGreaterThan(50)
      expect(new Set(stops).size).toBe(stops.length)
      await tab.context().close()
    },
    240_000,
  )
})
