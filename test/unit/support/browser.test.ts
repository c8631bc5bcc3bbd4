import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, phone, type TestBrowser } from '../../support/browser.ts'

const html = `<!doctype html><meta name="viewport" content="width=device-width"><title>Hello</title>
<style>body { font: 40px system-ui; color: black; background: white }
@media (prefers-color-scheme: dark) { body { background: rgb(1, 2, 3) } }</style>
<span>MMMMMM</span><br><i>iiiiii</i><noscript>no script</noscript>`

describe('the browser of a test', () => {
  let browser: TestBrowser
  let languages: (string | undefined)[] = []
  const server = createServer((request, response) => {
    languages.push(request.headers['accept-language'])
    response.setHeader('content-type', 'text/html').end(html)
  })
  let url: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser.close()
    server.close()
  })

  it('draws text in a font whose letters differ in width', async () => {
    const page = await browser.newPage()
    await page.goto(url)
    const wide = await page.locator('span').boundingBox()
    const narrow = await page.locator('i').boundingBox()
    expect(narrow?.width).toBeGreaterThan(20)
    expect(wide?.width).toBeGreaterThan(2 * (narrow?.width ?? 0))
  })

  it('draws fixed-width text in a font whose letters do not', async () => {
    const page = await browser.newPage()
    await page.goto(url)
    await page.addStyleTag({ content: '* { font-family: ui-monospace, monospace }' })
    const wide = await page.locator('span').boundingBox()
    const narrow = await page.locator('i').boundingBox()
    expect(wide?.width).toBeCloseTo(narrow?.width ?? 0, 1)
  })

  it('takes screenshots that show the text', async () => {
    const page = await browser.newPage()
    await page.goto(url)
    const withText = await page.screenshot()
    await page.evaluate('document.body.replaceChildren()')
    const blank = await page.screenshot()
    expect(withText.length).toBeGreaterThan(blank.length + 500)
  })

  it('shows a page as the device asks: dark, narrow, in its language, without scripts', async () => {
    languages = []
    const page = await browser.newPage({
      colorScheme: 'dark',
      viewport: phone,
      locale: 'de-DE',
      javaScriptEnabled: false,
    })
    await page.goto(url)
    expect(languages[0]).toMatch(/^de-DE/)
    expect(page.viewportSize()).toEqual(phone)
    expect(await page.locator('noscript').isVisible()).toBe(true)
    expect(
      await page
        .locator('body')
        .evaluate((body) => Reflect.get(globalThis, 'getComputedStyle')(body).backgroundColor),
    ).toBe('rgb(1, 2, 3)')
  })

  it('keeps the cookies of two pages apart', async () => {
    const [one, other] = [await browser.newPage(), await browser.newPage()]
    await one.goto(url)
    await one.context().addCookies([{ name: 'session', value: 'one', url }])
    await other.goto(url)
    expect(await other.context().cookies()).toEqual([])
  })

  it('has a virtual authenticator', async () => {
    const page = await browser.newPage()
    const session = await page.context().newCDPSession(page)
    await session.send('WebAuthn.enable')
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
    })
    expect(authenticatorId).not.toBe('')
  })

  it('resolves nothing but the names of this machine', async () => {
    const page = await browser.newPage()
    // Loopback too, but not by an excluded name: without the rule it would be a refused connection.
    await expect(page.goto(url.replace('127.0.0.1', '127.0.0.2'))).rejects.toThrow('ERR_NAME_NOT_RESOLVED')
  })
})
