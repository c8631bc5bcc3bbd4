import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { phone } from '../support/browser.ts'
import { focusOn } from '../support/hands.ts'
import { anotherTab, arrivedAt, heading, openScene, type Scene } from '../support/journey.ts'
import { faultsInScheme, faultsOf, watch } from '../support/page-faults.ts'
import { registrationOpen } from '../support/registering.ts'

const password = 'seven purple umbrellas'

let scene: Scene
beforeAll(async () => {
  scene = await openScene({
    environment: {
      ...registrationOpen,
      LATCHKEY_TERMS_URL: 'https://terms.example/',
      LATCHKEY_TERMS_VERSION: '2026-11',
    },
  })
})
afterAll(() => scene[Symbol.asyncDispose]())

let count = 0
const newAddress = (): string => `person${++count}@example.test`
const mailTo = async (address: string) =>
  (await scene.latchkey.mails()).findLast(({ to }) => to === address) ?? { code: '', link: '' }

/** From the application to the form of a new account. */
async function toForm(tab: Page): Promise<void> {
  await tab.goto(scene.shop.signIn())
  await tab.getByRole('link', { name: 'Create an account' }).click()
  await heading(tab, 'Create your account')
}

async function fill(tab: Page, email: string): Promise<void> {
  await tab.getByLabel('E-mail address').fill(email)
  await tab.getByLabel('Name').fill('Nora New')
  await tab.getByLabel('Password', { exact: true }).fill(password)
  await tab.getByRole('checkbox', { name: /accept/ }).check()
}

describe.each([
  ['with JavaScript', true],
  ['without JavaScript', false],
])('making an account %s', (_name, javaScriptEnabled) => {
  it('leads by way of a mailed code to the application, whatever went wrong on the way', async () => {
    const tab = await scene.openTab({ javaScriptEnabled })
    await toForm(tab)
    const email = newAddress()
    await fill(tab, email)
    await tab.getByLabel('Password', { exact: true }).fill('password123')
    await tab.getByRole('button', { name: 'Continue' }).click()
    await tab.locator('#password-error').waitFor()
    expect(await tab.getByLabel('E-mail address').inputValue()).toBe(email)
    expect(await tab.getByLabel('Password', { exact: true }).inputValue()).toBe('')
    expect(await tab.getByRole('checkbox', { name: /accept/ }).isChecked()).toBe(true)
    await focusOn(tab.locator('#password'))

    await tab.getByLabel('Password', { exact: true }).fill(password)
    await tab.getByRole('button', { name: 'Continue' }).click()
    await heading(tab, 'Check your mail')
    await tab.getByLabel('Code').fill('0000 0000')
    await tab.getByRole('button', { name: 'Create account' }).click()
    await tab.locator('#code-error').waitFor()
    await tab.getByLabel('Code').fill((await mailTo(email)).code)
    await tab.getByRole('button', { name: 'Create account' }).click()
    await arrivedAt(tab, scene.shop)
    expect(scene.shop.claims.at(-1)).toMatchObject({ amr: ['pwd'] })
    await tab.context().close()
  })
})

it('goes on from the link in the mail in another tab of the same browser', async () => {
  const tab = await scene.openTab()
  await toForm(tab)
  const email = newAddress()
  await fill(tab, email)
  await tab.getByRole('button', { name: 'Continue' }).click()
  await heading(tab, 'Check your mail')
  const { link, code } = await mailTo(email)
  const other = await anotherTab(tab.context())
  await other.goto(link)
  await other.getByRole('button', { name: 'Continue' }).click()
  await heading(other, 'Check your mail')
  expect(await other.getByLabel('Code').inputValue()).toBe(code)
  await other.getByRole('button', { name: 'Create account' }).click()
  await arrivedAt(other, scene.shop)
  // The first tab comes too late, and does no harm.
  await tab.getByLabel('Code').fill(code)
  await tab.getByRole('button', { name: 'Create account' }).click()
  await tab.waitForURL(/\/callback|\/interaction/)
  await tab.context().close()
})

it('shows the code in another browser, where nobody is signed in', async () => {
  const tab = await scene.openTab()
  await toForm(tab)
  const email = newAddress()
  await fill(tab, email)
  await tab.getByRole('button', { name: 'Continue' }).click()
  await heading(tab, 'Check your mail')
  const { link, code } = await mailTo(email)
  const elsewhere = await scene.openTab({ viewport: phone })
  await elsewhere.goto(link)
  await elsewhere.getByText(code).waitFor()
  expect(await elsewhere.getByRole('button').count()).toBe(0)
  expect(await faultsOf(elsewhere)).toEqual([])
  await elsewhere.goto(`${scene.latchkey.issuer}/`)
  await heading(elsewhere, /Sign in/)
  await Promise.all([tab.context().close(), elsewhere.context().close()])
})

it('can be done by keyboard alone', async () => {
  const tab = await scene.openTab()
  await toForm(tab)
  const email = newAddress()
  await focusOn(tab.locator('#email'))
  await tab.keyboard.type(email)
  await tab.keyboard.press('Tab')
  await tab.keyboard.press('Tab')
  await tab.keyboard.type(password)
  const ids = []
  for (let step = 0; step < 4 && ids.at(-1) !== 'terms'; step += 1) {
    await tab.keyboard.press('Tab')
    ids.push(await tab.evaluate<string>('document.activeElement.id'))
  }
  await tab.keyboard.press('Space')
  await tab.keyboard.press('Enter')
  await heading(tab, 'Check your mail')
  await focusOn(tab.getByLabel('Code'))
  await tab.keyboard.type((await mailTo(email)).code.replace(' ', ''))
  await tab.keyboard.press('Enter')
  await arrivedAt(tab, scene.shop)
  await tab.context().close()
})

describe('the strength of a password', () => {
  it('is said while it is typed, and nothing of it leaves the browser', async () => {
    const tab = await scene.openTab({ viewport: phone })
    const { faults } = watch(tab, [scene.latchkey.issuer, new URL(scene.shop.signIn()).origin])
    await toForm(tab)
    await tab.getByLabel('E-mail address').fill('nora.new@example.test')
    const requests: string[] = []
    tab.on('request', (request) => requests.push(request.url()))
    const meter = tab.locator('meter')
    expect(await meter.isVisible()).toBe(false)
    const said = tab.locator('.strength').getByRole('status')
    for (const [text, words, level] of [
      ['short', /Too short/, 0],
      ['password1234', /Weak/, 1],
      ['nora.new2026!', /Weak/, 1],
      ['zzzzzzzzzzzzzzzz', /Weak/, 1],
      ['Sommer2024!', /Weak/, 1],
      ['x7#kQ9!p', /Fair/, 2],
      [password, /Good/, 3],
      ['correct horse battery staple', /Strong/, 4],
    ] as const) {
      await tab.getByLabel('Password', { exact: true }).fill(text)
      await said.filter({ hasText: words }).waitFor()
      expect([text, await meter.getAttribute('value')]).toEqual([text, String(level)])
    }
    expect(await faultsOf(tab)).toEqual([])
    expect(await faultsInScheme(tab, 'dark')).toEqual([])
    await tab.getByLabel('Password', { exact: true }).fill('')
    expect(await meter.isVisible()).toBe(false)
    expect([requests, faults]).toEqual([[], []])
    await tab.context().close()
  })
})
