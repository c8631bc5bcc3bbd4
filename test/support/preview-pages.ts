/**
 * Renders every page sample and photographs it on a phone and a desktop, in light and dark:
 * `node test/support/preview-pages.ts <folder> [name-prefix]`.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Route } from 'playwright-core'
import { openViews } from '../../src/pages/views.ts'
import { desktop, openBrowser, phone, type TestBrowser } from './browser.ts'
import { pageSamples, renderSample, sampleLogo } from './page-samples.ts'

const [folder = 'preview', prefix = ''] = process.argv.slice(2)
const nonce = 'bm9uY2U'
const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; img-src 'self' https:; form-action 'self'`
const origin = 'http://preview.localhost'
const sizes = { phone, desktop }
const views = openViews({ directory: join(import.meta.dirname, '../../views'), brand: { name: 'Latchkey' } })

const variants = [
  { locale: 'en', size: 'phone', colorScheme: 'light' },
  { locale: 'de', size: 'phone', colorScheme: 'dark' },
  { locale: 'en', size: 'desktop', colorScheme: 'light' },
  { locale: 'en', size: 'desktop', colorScheme: 'dark' },
  { locale: 'ar', size: 'phone', colorScheme: 'light' },
] as const

mkdirSync(folder, { recursive: true })
const browser = await openBrowser()
try {
  for (const variant of variants) await photographAll(browser, variant)
} finally {
  await browser.close()
}

async function photographAll(browser: TestBrowser, variant: (typeof variants)[number]): Promise<void> {
  const page = await browser.playwright.newPage({
    viewport: sizes[variant.size],
    colorScheme: variant.colorScheme,
    deviceScaleFactor: variant.size === 'phone' ? 2 : 1,
  })
  page.on('console', (message) => message.type() === 'error' && report(page.url(), message.text()))
  await page.route('**/*', (route) => answer(route, variant.locale))
  for (const sample of pageSamples.filter(({ name }) => name.startsWith(prefix))) {
    // A page that submits itself never reaches the load event here, as its post is answered with 204.
    await page.goto(`${origin}/${sample.name}`, { waitUntil: 'commit' })
    await page.waitForFunction(() => document.readyState === 'complete')
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    )
    if (overflow > 0) report(page.url(), `scrolls sideways by ${overflow}px on a ${variant.size}`)
    const name = [sample.name, variant.size, variant.colorScheme, variant.locale, 'png'].join('.')
    await page.screenshot({ path: join(folder, name), fullPage: true })
  }
  await page.close()
}

function answer(route: Route, locale: string): Promise<void> {
  const url = new URL(route.request().url())
  if (url.href === sampleLogo.url)
    return route.fulfill({ contentType: sampleLogo.type, body: sampleLogo.body })
  const asset = views.assets.get(url.pathname)
  if (asset !== undefined) return route.fulfill({ contentType: asset.type, body: asset.body })
  const sample = pageSamples.find(({ name }) => url.pathname === `/${name}`)
  if (sample === undefined) return route.fulfill({ status: 204 })
  const html = renderSample(views, { locale, nonce, csrfToken: 'token' }, sample)
  return route.fulfill({
    contentType: 'text/html',
    headers: { 'content-security-policy': policy },
    body: html,
  })
}

function report(page: string, fault: string): void {
  process.exitCode = 1
  process.stderr.write(`${page}: ${fault}\n`)
}
