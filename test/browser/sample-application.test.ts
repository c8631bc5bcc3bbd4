import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { desktop, openBrowser, type PageOptions, phone, type TestBrowser } from '../support/browser.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { startSampleApplication } from '../support/sample-application.ts'

const ada = { name: 'Ada Lovelace', email: 'ada@example.test', password: 'analytical engine 1843' }

let browser: TestBrowser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

/** Waits less than the test does, so that a failure says what it waited for. */
const newPage = async (options?: PageOptions): Promise<Page> => {
  const page = await browser.newPage(options)
  page.setDefaultTimeout(8_000)
  return page
}

/** The table of claims as the person reads it. */
const claimsOn = async (page: Page): Promise<Readonly<Record<string, string>>> => {
  const rows = await page.locator('dl > div').all()
  const pairs = await Promise.all(
    rows.map(async (row) => [await row.locator('dt code').innerText(), await row.locator('dd').innerText()]),
  )
  return Object.fromEntries(pairs)
}

const signIn = async (page: Page): Promise<void> => {
  await page.getByLabel('E-mail address or user name').fill(ada.email)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

const becomeAdministrator = async (page: Page, setupLink: string): Promise<void> => {
  await page.goto(setupLink)
  await page.getByLabel('Name', { exact: true }).fill(ada.name)
  await page.getByLabel('E-mail address').fill(ada.email)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('button', { name: 'Create administrator' }).click()
}

const scrollsSideways = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')

const devices: readonly (readonly [string, PageOptions])[] = [
  ['on a desktop', { viewport: desktop }],
  ['on a phone, in the dark', { viewport: phone, colorScheme: 'dark' }],
  ['without JavaScript', { viewport: desktop, javaScriptEnabled: false }],
]

describe('the sample application', () => {
  it.each(devices)(
    'takes a newcomer from the set-up link to his claims and out again, %s',
    async (_name, options) => {
      await using latchkey = await startLatchkey()
      await using sample = await startSampleApplication(latchkey)
      const page = await newPage(options)
      const { url: setupLink } = await latchkey.app.features.setup.setup.issueLink()

      await becomeAdministrator(page, setupLink)
      await page.getByLabel('Password', { exact: true }).fill(ada.password)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByRole('heading', { name: 'Profile' }).waitFor()

      // Signed in already, so the application's own question is all there is.
      await page.goto(sample.url)
      await page.getByRole('link', { name: 'Sign in with Latchkey' }).click()
      await page.getByRole('heading', { name: 'Allow Sample application to use your account?' }).waitFor()
      await page.getByRole('button', { name: 'Allow' }).click()
      await page.getByRole('heading', { name: `Hello, ${ada.name}` }).waitFor()
      expect(await claimsOn(page)).toMatchObject({
        iss: latchkey.issuer,
        aud: sample.clientId,
        amr: '["pwd"]',
        name: ada.name,
        email: ada.email,
      })
      expect(await scrollsSideways(page)).toBe(false)

      await page.getByRole('button', { name: 'Sign out' }).click()
      // A script presses it; without one the person does.
      if (options.javaScriptEnabled === false) await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
      expect(new URL(page.url()).origin).toBe(new URL(sample.url).origin)
      expect(await scrollsSideways(page)).toBe(false)
      await page.goto(latchkey.issuer)
      await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
      await page.context().close()
    },
  )

  it('asks for consent once and for the password after each sign-out', async () => {
    await using latchkey = await startLatchkey()
    await using sample = await startSampleApplication(latchkey)
    await latchkey.createUser(ada)
    const page = await newPage()
    const begin = async () => {
      await page.goto(sample.url)
      await page.getByRole('link', { name: 'Sign in with Latchkey' }).click()
      await signIn(page)
    }

    await begin()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    await begin()
    await page.getByRole('heading', { name: `Hello, ${ada.name}` }).waitFor()
    await page.context().close()
  })

  it('has a person who is signed in give the password again when it wants to be sure', async () => {
    await using latchkey = await startLatchkey()
    await using sample = await startSampleApplication(latchkey)
    await latchkey.createUser(ada)
    const page = await newPage()
    await page.goto(`${sample.url}sign-in`)
    await signIn(page)
    await page.getByRole('button', { name: 'Allow' }).click()
    const { nonce: firstNonce } = await claimsOn(page)

    await page.getByRole('link', { name: 'Confirm it’s you again' }).click()
    await page.getByRole('heading', { name: 'Confirm it’s you' }).waitFor()
    await page.getByLabel('Password', { exact: true }).fill(ada.password)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByRole('heading', { name: `Hello, ${ada.name}` }).waitFor()
    expect((await claimsOn(page)).nonce).not.toBe(firstNonce)
    await page.context().close()
  })

  it('tells a person who does not allow it that nothing has happened', async () => {
    await using latchkey = await startLatchkey()
    await using sample = await startSampleApplication(latchkey)
    await latchkey.createUser(ada)
    const page = await newPage()
    await page.goto(`${sample.url}sign-in`)
    await signIn(page)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('heading', { name: 'You were not signed in' }).waitFor()
    await page.getByRole('link', { name: 'Sign in with Latchkey' }).click()
    await page.getByRole('heading', { name: 'Allow Sample application to use your account?' }).waitFor()
    await page.context().close()
  })

  it('refuses an answer to a sign-in that another browser began', async () => {
    await using latchkey = await startLatchkey()
    await using sample = await startSampleApplication(latchkey)
    const page = await newPage()
    await page.goto(`${sample.url}callback?code=stolen&state=foreign`)
    await page.getByRole('heading', { name: 'Please start again' }).waitFor()
    expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0)
    await page.context().close()
  })

  it('ends with the process that started it', async () => {
    await using latchkey = await startLatchkey()
    const sample = await startSampleApplication(latchkey)
    expect((await fetch(sample.url)).status).toBe(200)
    await sample[Symbol.asyncDispose]()
    await expect(fetch(sample.url)).rejects.toThrow('fetch failed')
  })
})
