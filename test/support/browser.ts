/**
 * A real, headless Chromium for tests: its start, its arguments, and pages as a person's device would have
 * them. It reaches this machine only. Set LATCHKEY_TEST_CHROMIUM to the path of a Chrome or Chromium to use
 * your own instead of the one from npm.
 *
 *     const browser = await openBrowser()
 *     const page = await browser.newPage({ colorScheme: 'dark', viewport: phone })
 *     await browser.close()
 *
 * Every page is in a context of its own (cookies, storage); `page.context().newPage()` opens a second tab of
 * the same person. Passkeys: `page.context().newCDPSession(page)` and the WebAuthn domain.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { openChromium } from './chromium.ts'
import { scratchFolder } from './machine.ts'

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark'
  /** In CSS pixels. */
  readonly viewport?: { readonly width: number; readonly height: number }
  /** A BCP 47 tag: the Accept-Language header and `navigator.language`. */
  readonly locale?: string
  readonly javaScriptEnabled?: boolean
}

export interface TestBrowser extends AsyncDisposable {
  readonly playwright: Browser
  newPage(options?: PageOptions): Promise<Page>
  close(): Promise<void>
}

export const phone = { width: 390, height: 844 } as const
export const desktop = { width: 1280, height: 800 } as const

const args = [
  '--headless',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]',
]

const installed = async () => {
  const executablePath = process.env.LATCHKEY_TEST_CHROMIUM
  return executablePath === undefined ? openChromium() : { executablePath, env: {} }
}

/** Starts a browser with an empty profile and home folder; about a tenth of a second once it is unpacked. */
export const openBrowser = async (): Promise<TestBrowser> => {
  const { executablePath, env } = await installed()
  const home = await mkdtemp(join(scratchFolder(), `latchkey-browser-${process.pid}-`))
  const playwright = await chromium.launch({
    executablePath,
    args,
    env: {
      ...process.env,
      ...env,
      HOME: home,
      XDG_CACHE_HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_DATA_HOME: home,
    },
    // Root and many containers cannot have the sandbox, and it opens only our own pages.
    chromiumSandbox: false,
  })
  const close = async () => {
    await playwright.close()
    await rm(home, { recursive: true, force: true })
  }
  return {
    playwright,
    async newPage({
      colorScheme = 'light',
      viewport = desktop,
      locale = 'en-US',
      javaScriptEnabled = true,
    } = {}) {
      const wishes = { colorScheme, viewport, locale, javaScriptEnabled }
      // A page that the browser itself opens would have a context of which it stays the only page.
      const context = await playwright.newContext({ ...wishes, reducedMotion: 'reduce' })
      return await context.newPage()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
