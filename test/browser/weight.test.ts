import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, phone, type TestBrowser } from '../support/browser.ts'
import { type Grounds, openGrounds } from '../support/grounds.ts'

let grounds: Grounds
let browser: TestBrowser
beforeAll(async () => {
  grounds = await openGrounds()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await grounds[Symbol.asyncDispose]()
})

interface Loaded {
  /** Everything that came, in bytes as the wire carried them: heads, compressed bodies. */
  readonly bytes: number
  readonly addresses: readonly string[]
}

/** What a page costs a browser that has been here never before, as the browser itself counts it. */
async function load(tab: Page, url: string): Promise<Loaded> {
  const session = await tab.context().newCDPSession(tab)
  await session.send('Network.enable')
  await session.send('Network.setCacheDisabled', { cacheDisabled: true })
  const addresses = new Map<string, string>()
  const arrived = new Map<string, number>()
  session.on(
    'Network.requestWillBeSent',
    ({ requestId, request }) => void addresses.set(requestId, request.url),
  )
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    arrived.set(requestId, encodedDataLength)
  })
  await tab.goto(url, { waitUntil: 'networkidle' })
  await session.detach()
  return {
    bytes: [...arrived.values()].reduce((sum, size) => sum + size, 0),
    addresses: [...addresses.values()],
  }
}

describe('a sign-in page with every way to sign in', () => {
  it('costs less than 30 KB over the wire in all, and nobody but us is asked for anything', async () => {
    const tab = await browser.newPage({ viewport: phone })
    const { bytes, addresses } = await load(tab, `${grounds.latchkey.issuer}/account`)
    expect(await tab.locator('main button').count()).toBeGreaterThan(2)
    expect(new Set(addresses.map((address) => new URL(address).origin))).toEqual(
      new Set([grounds.latchkey.issuer]),
    )
    expect(addresses.filter((address) => address.includes('/assets/')).length).toBeGreaterThan(2)
    expect(bytes).toBeGreaterThan(4_000)
    expect(bytes).toBeLessThan(30_000)
    await tab.context().close()
  })

  it('is painted without JavaScript, and shows all that works without it', async () => {
    const tab = await browser.newPage({ viewport: phone, javaScriptEnabled: false })
    await tab.goto(`${grounds.latchkey.issuer}/account`)
    for (const name of ['identifier', 'password'])
      expect(await tab.locator(`[name=${name}]`).isVisible()).toBe(true)
    expect(await tab.locator('main button.primary').isVisible()).toBe(true)
    // A button that needs a script is not there without one; a word says so instead.
    expect(await tab.locator('main [data-part=start]').isVisible()).toBe(false)
    expect(await tab.locator('main noscript').innerText()).not.toBe('')
    await tab.context().close()
  })

  it('is painted before any script has come', async () => {
    const tab = await browser.newPage({ viewport: phone })
    const held: (() => void)[] = []
    await tab.route(/\.js$/, async (route) => {
      await new Promise<void>((resolve) => held.push(resolve))
      await route.continue()
    })
    await tab.goto(`${grounds.latchkey.issuer}/account`, { waitUntil: 'commit' })
    await tab.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0)
    expect(await tab.locator('main button.primary').isVisible()).toBe(true)
    expect(held.length).toBeGreaterThan(0)
    for (const release of held) release()
    await tab.context().close()
  })
})
