import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, phone, type TestBrowser } from '../support/browser.ts'
import { openGrounds } from '../support/grounds.ts'
import { drawn, keyboard } from '../support/hands.ts'
import { tour } from '../support/tour.ts'

let browser: TestBrowser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(async () => await browser.close())

/** What shows where the focus is: an outline, or the field's own. */
const focusShown = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
  return document.activeElement === document.body || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2)
})()`

describe('every journey of a person', () => {
  it('can be made with the keyboard alone, and shows where it is', async () => {
    await using grounds = await openGrounds()
    const tab = await browser.newPage()
    tab.setDefaultTimeout(8_000)
    const unseen: string[] = []
    const stops: string[] = []
    for await (const stop of tour(grounds, tab, { hands: keyboard(tab) })) {
      stops.push(stop)
      await drawn(tab)
      await tab.keyboard.press('Tab')
      if (!(await tab.evaluate<boolean>(focusShown))) unseen.push(stop)
    }
    expect(unseen).toEqual([])
    expect(stops).toContain('recovery-codes')
    expect(stops.length).toBeGreaterThan(50)
    await tab.context().close()
  }, 240_000)

  it('can be made without JavaScript, passkeys excepted, and says so there', async () => {
    await using grounds = await openGrounds()
    const tab = await browser.newPage({ javaScriptEnabled: false, viewport: phone })
    tab.setDefaultTimeout(8_000)
    const stops: string[] = []
    const dead: string[] = []
    for await (const stop of tour(grounds, tab, { passkeys: false })) {
      stops.push(stop)
      const buttons = tab.locator('main button[type=button]').filter({ visible: true })
      if ((await buttons.count()) > 0) dead.push(stop)
      if (stop === 'passkey-add') expect(await tab.locator('main noscript').innerText()).not.toBe('')
    }
    expect(dead).toEqual([])
    expect(stops.length).toBeGreaterThan(45)
    await tab.context().close()
  }, 240_000)

  it('can be begun past what stands above its content', async () => {
    await using grounds = await openGrounds()
    const tab = await browser.newPage()
    await tab.goto(`${grounds.latchkey.issuer}/nowhere`)
    await tab.keyboard.press('Tab')
    expect(await tab.evaluate('document.activeElement.className')).toBe('skip')
    expect(await tab.locator('.skip').isVisible()).toBe(true)
    await tab.keyboard.press('Enter')
    expect(await tab.evaluate('document.activeElement.id')).toBe('main')
    await tab.context().close()
  })
})
