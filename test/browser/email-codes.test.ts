/** Codes and links by e-mail as a person meets them, in two browsers, by keyboard alone and without JavaScript. */
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PageOptions, phone } from '../support/browser.ts'
import { focusOn, tabTo } from '../support/hands.ts'
import { anotherTab, arrivedAt, heading, openScene, type Scene } from '../support/journey.ts'
import { faultsOf } from '../support/page-faults.ts'

/** Names a folder to look at every page afterwards. */
const pictures = process.env.LATCHKEY_TEST_PICTURES

let scene: Scene
beforeAll(async () => {
  scene = await openScene({
    environment: {
      LATCHKEY_EMAIL_CODES_USE: 'first',
      LATCHKEY_MAIL_ADDRESS_PER_HOUR: '1000',
      LATCHKEY_MAIL_ACCOUNT_PER_HOUR: '1000',
    },
  })
})
afterAll(() => scene[Symbol.asyncDispose]())

const looks: readonly PageOptions[] = [{ colorScheme: 'light' }, { colorScheme: 'dark', viewport: phone }]

/** Somebody who reads his mail and has no password. */
let count = 0
const somebody = async (): Promise<string> => {
  count += 1
  const email = `reader${count}@example.test`
  const { users } = scene.latchkey.app.features.users
  await users.create({ email, name: 'Reader' }, { actor: { kind: 'command-line' } })
  return email
}

const mailed = async (to: string) => {
  const mail = (await scene.latchkey.mails()).filter((each) => each.to === to).at(-1)
  return { code: mail?.code ?? '', link: mail?.link ?? '' }
}

/** To the page that asks for the code. */
const ask = async (tab: Page, email: string): Promise<void> => {
  await tab.goto(scene.shop.signIn())
  await tab.getByLabel('E-mail address or user name').fill(email)
  await tab.getByRole('button', { name: 'E-mail me a code instead' }).click()
  await tab.getByLabel('Code from the e-mail').waitFor()
}

const isAccessible = async (tab: Page, name: string): Promise<void> => {
  expect([name, await faultsOf(tab)]).toEqual([name, []])
  if (pictures === undefined) return
  const { width = 0 } = tab.viewportSize() ?? {}
  await tab.screenshot({ path: join(pictures, `${name}-${width}.png`), fullPage: true })
}

describe('a code by e-mail', () => {
  it.each(looks)('is typed where it was asked for: %j', async (look) => {
    const email = await somebody()
    const tab = await scene.openTab(look)
    await ask(tab, email)
    await focusOn(tab.locator('#code'))
    await isAccessible(tab, 'code')
    await tab.keyboard.type('0000 0000')
    await tab.keyboard.press('Enter')
    const field = tab.getByLabel('Code from the e-mail')
    await tab.getByText('This is not the code we sent last.').waitFor()
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    await isAccessible(tab, 'code-wrong')
    await field.fill((await mailed(email)).code)
    await tab.keyboard.press('Enter')
    await arrivedAt(tab, scene.shop)
  })

  it('is asked for and typed by keyboard alone, without JavaScript', async () => {
    const email = await somebody()
    const tab = await scene.openTab({ javaScriptEnabled: false })
    await tab.goto(scene.shop.signIn())
    await tab.getByLabel('E-mail address or user name').focus()
    await tab.keyboard.type(email)
    await tabTo(tab.getByRole('button', { name: 'E-mail me a code instead' }))
    await tab.keyboard.press('Enter')
    await focusOn(tab.getByLabel('Code from the e-mail'))
    await tab.keyboard.type((await mailed(email)).code)
    await tab.keyboard.press('Enter')
    await arrivedAt(tab, scene.shop)
  })

  it('is not sent twice by a double click, and the way back and forth keeps it', async () => {
    const email = await somebody()
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await tab.getByLabel('E-mail address or user name').fill(email)
    await tab.getByRole('button', { name: 'E-mail me a code instead' }).dblclick()
    await tab.getByLabel('Code from the e-mail').waitFor()
    const { code } = await mailed(email)
    await tab.goBack()
    await tab.getByLabel('E-mail address or user name').fill(email)
    await tab.getByRole('button', { name: 'E-mail me a code instead' }).click()
    await tab.getByLabel('Code from the e-mail').fill(code)
    await tab.keyboard.press('Enter')
    await arrivedAt(tab, scene.shop)
    expect((await scene.latchkey.mails()).filter(({ to }) => to === email)).toHaveLength(1)
  })
})

describe('the link of the same mail', () => {
  it.each(looks)('goes on in the browser of the sign-in with one press: %j', async (look) => {
    const email = await somebody()
    const tab = await scene.openTab(look)
    await ask(tab, email)
    const mailTab = await anotherTab(tab.context())
    await mailTab.goto((await mailed(email)).link)
    await heading(mailTab, 'Continue signing in')
    await isAccessible(mailTab, 'link-here')
    await mailTab.getByRole('button', { name: 'Continue signing in' }).click()
    await arrivedAt(mailTab, scene.shop)
    // The tab in which it was begun says so.
    await tab.reload()
    await heading(tab, 'You are already signed in')
  })

  it('goes on without JavaScript, with one press more', async () => {
    const email = await somebody()
    const tab = await scene.openTab({ javaScriptEnabled: false })
    await ask(tab, email)
    await tab.goto((await mailed(email)).link)
    await tab.getByRole('button', { name: 'Continue signing in' }).click()
    await tab.getByText('You have opened the link from our e-mail.').waitFor()
    await tab.getByRole('button', { name: 'Continue', exact: true }).click()
    await arrivedAt(tab, scene.shop)
  })

  it.each(looks)('shows the code in another browser, to be typed in the first: %j', async (look) => {
    const email = await somebody()
    const [tab, other] = [await scene.openTab(), await scene.openTab(look)]
    await ask(tab, email)
    const { code, link } = await mailed(email)
    await other.goto(link)
    await heading(other, 'Your code')
    expect(await other.locator('.mailed-code').innerText()).toBe(code)
    expect(await other.getByRole('button').count()).toBe(0)
    await isAccessible(other, 'link-elsewhere')
    await other.goto(`${scene.latchkey.issuer}/account`)
    await other.getByLabel('Password', { exact: true }).waitFor()
    await tab.getByLabel('Code from the e-mail').fill(code)
    await tab.keyboard.press('Enter')
    await arrivedAt(tab, scene.shop)
  })

  it('that is of no use says so', async () => {
    const tab = await scene.openTab()
    await tab.goto(`${scene.latchkey.issuer}/link/email-code?token=${'a'.repeat(43)}`)
    await tab.getByText('This link no longer works').waitFor()
    await isAccessible(tab, 'link-ended')
  })
})
