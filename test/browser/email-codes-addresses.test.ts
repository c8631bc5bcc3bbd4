/** A person's own address as he meets it: confirmed at sign-in, and changed with the new mailbox in another browser. */
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PageOptions, phone } from '../support/browser.ts'
import { focusOn } from '../support/hands.ts'
import { ada, arrivedAt, fillSignIn, heading, openScene, type Scene } from '../support/journey.ts'
import { faultsOf } from '../support/page-faults.ts'

/** Names a folder to look at every page afterwards. */
const pictures = process.env.LATCHKEY_TEST_PICTURES
const looks: readonly PageOptions[] = [{ colorScheme: 'light' }, { colorScheme: 'dark', viewport: phone }]

let scene: Scene
beforeAll(async () => {
  scene = await openScene({
    environment: {
      LATCHKEY_ADDRESSES_VERIFICATION: 'required',
      LATCHKEY_ADDRESSES_AGAIN_SECONDS: '1',
      LATCHKEY_MAIL_ADDRESS_PER_HOUR: '1000',
      LATCHKEY_MAIL_ACCOUNT_PER_HOUR: '1000',
    },
  })
})
afterAll(() => scene[Symbol.asyncDispose]())

const isAccessible = async (tab: Page, name: string): Promise<void> => {
  expect([name, await faultsOf(tab)]).toEqual([name, []])
  if (pictures === undefined) return
  const { width = 0 } = tab.viewportSize() ?? {}
  await tab.screenshot({ path: join(pictures, `${name}-${width}.png`), fullPage: true })
}

const mailed = async (to: string) => {
  const mail = (await scene.latchkey.mails()).filter((each) => each.to === to && each.code !== '').at(-1)
  return { code: mail?.code ?? '', link: mail?.link ?? '' }
}

let count = 0
const somebody = async (): Promise<string> => {
  count += 1
  const email = `owner${count}@example.test`
  await scene.latchkey.createUser({ email, name: 'Owner', password: ada.password })
  return email
}

/** At the page that asks for a confirmed address. */
const begin = async (email: string, look: PageOptions): Promise<Page> => {
  const tab = await scene.openTab(look)
  await tab.goto(scene.shop.signIn())
  await fillSignIn(tab, { email, password: ada.password })
  await heading(tab, 'Confirm your e-mail address')
  return tab
}

describe('an address', () => {
  it.each(looks)('is confirmed on the way in, by keyboard alone: %j', async (look) => {
    const email = await somebody()
    const tab = await begin(email, look)
    await isAccessible(tab, 'verify')
    await tab.getByRole('button', { name: 'Send the code' }).focus()
    await tab.keyboard.press('Enter')
    await focusOn(tab.getByLabel('Code from the e-mail'))
    await isAccessible(tab, 'verify-code')
    await tab.keyboard.type((await mailed(email)).code)
    await tab.keyboard.press('Enter')
    await arrivedAt(tab, scene.shop)
  })

  it('is changed without JavaScript: asked for here, confirmed in the browser of the new mailbox', async () => {
    const [email, wanted] = [await somebody(), `new${count}@example.test`]
    const tab = await begin(email, { javaScriptEnabled: false })
    await tab.getByRole('button', { name: 'Send the code' }).click()
    await tab.getByLabel('Code from the e-mail').fill((await mailed(email)).code)
    await tab.getByRole('button', { name: 'Confirm' }).click()
    await arrivedAt(tab, scene.shop)
    await tab.goto(`${scene.latchkey.issuer}/account`)
    await tab.getByRole('link', { name: 'Change the address' }).click()
    await tab.getByLabel('New e-mail address').fill(wanted)
    await tab.getByRole('button', { name: 'Send the code' }).click()
    await tab.getByText(`You asked to use ${wanted} from now on.`).waitFor()
    const other = await scene.openTab()
    await other.goto((await mailed(wanted)).link)
    await heading(other, 'Use this e-mail address')
    await isAccessible(other, 'address-link')
    await other.getByRole('button', { name: 'Yes, confirm' }).click()
    await heading(other, 'Thank you')
    await isAccessible(other, 'address-done')
    await tab.reload()
    const section = tab.getByRole('region', { name: 'E-mail address' })
    expect(await section.innerText()).toContain(wanted)
    expect(await section.innerText()).toContain('Confirmed')
  })

  it.each(looks)('that waits to be confirmed can be seen, sent again and called off: %j', async (look) => {
    const [email, wanted] = [await somebody(), `later${count}@example.test`]
    const tab = await begin(email, look)
    await tab.getByRole('button', { name: 'Send the code' }).click()
    await tab.getByLabel('Code from the e-mail').fill((await mailed(email)).code)
    await tab.getByRole('button', { name: 'Confirm' }).click()
    await arrivedAt(tab, scene.shop)
    await tab.goto(`${scene.latchkey.issuer}/account/profile/address/change`)
    await isAccessible(tab, 'address-change')
    await tab.getByLabel('New e-mail address').fill('nonsense@')
    await tab
      .getByLabel('New e-mail address')
      .evaluate((field) => field.closest('form')?.setAttribute('novalidate', ''))
    await tab.getByRole('button', { name: 'Send the code' }).click()
    await tab.getByText('Enter an e-mail address like').waitFor()
    await isAccessible(tab, 'address-change-wrong')
    await tab.getByLabel('New e-mail address').fill(wanted)
    await tab.getByRole('button', { name: 'Send the code' }).click()
    await tab.getByText(`You asked to use ${wanted} from now on.`).waitFor()
    await isAccessible(tab, 'address-pending')
    await tab.getByRole('button', { name: 'Keep the address as it is' }).click()
    await tab.getByText('Your e-mail address stays as it is.').waitFor()
  })
})
