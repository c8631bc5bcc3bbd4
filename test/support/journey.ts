/**
 * What a person in a real browser does: opens pages of one browser, types, presses, reads.
 *
 *     await using scene = await openScene()
 *     const tab = await scene.openTab()
 *     await tab.goto(scene.shop.signIn())
 *     await fillSignIn(tab, ada)
 */
import type { BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { openBrowser, type PageOptions, type TestBrowser } from './browser.ts'
import { ada, grace } from './front-door.ts'
import { type LatchkeyOptions, type RunningLatchkey, startLatchkey } from './latchkey.ts'
import { type ListeningApplication, startApplication } from './listening-application.ts'

export { ada, grace } from './front-door.ts'

/** Shorter than a test may take, so that a failure says what it waited for. */
const patienceMilliseconds = 8_000

export interface Scene extends AsyncDisposable {
  readonly latchkey: RunningLatchkey
  readonly browser: TestBrowser
  readonly adaId: string
  readonly graceId: string
  /** Our own: nobody is asked for consent. */
  readonly shop: ListeningApplication
  /** Somebody else's: consent is asked for once. */
  readonly notes: ListeningApplication
  /** A tab of a browser that nobody has used yet. */
  openTab(options?: PageOptions): Promise<Page>
  /** A tab in which Ada is signed in to the shop. */
  signedInTab(options?: PageOptions): Promise<Page>
}

export async function openScene(options: LatchkeyOptions = {}): Promise<Scene> {
  const [latchkey, browser] = await Promise.all([startLatchkey(options), openBrowser()])
  const adaId = await latchkey.createUser(ada)
  const graceId = await latchkey.createUser(grace)
  // Until there is an administrator every way leads to the set-up.
  await latchkey.app.features.setup.setup.createFirstAdministrator(
    { email: 'root@example.test', password: 'the keys of the house 1' },
    commandLineActor,
  )
  const shop = await startApplication(latchkey, { name: 'Shop', firstParty: true })
  const notes = await startApplication(latchkey, { name: 'Notes' })
  const scene: Scene = {
    latchkey,
    browser,
    adaId,
    graceId,
    shop,
    notes,
    async openTab(own) {
      const tab = await browser.newPage(own)
      tab.setDefaultTimeout(patienceMilliseconds)
      return tab
    },
    async signedInTab(own) {
      const tab = await scene.openTab(own)
      await tab.goto(shop.signIn())
      await fillSignIn(tab, ada)
      await arrivedAt(tab, shop)
      return tab
    },
    async [Symbol.asyncDispose]() {
      await browser.close()
      for (const each of [shop, notes]) await each[Symbol.asyncDispose]()
      await latchkey.close()
    },
  }
  return scene
}

/** Another tab of the same browser. */
export async function anotherTab(context: BrowserContext): Promise<Page> {
  const tab = await context.newPage()
  tab.setDefaultTimeout(patienceMilliseconds)
  return tab
}

interface Credentials {
  readonly email: string
  readonly password: string
}

export async function fillSignIn(tab: Page, { email, password }: Credentials): Promise<void> {
  await typeSignIn(tab, { email, password })
  await tab.getByRole('button', { name: 'Sign in', exact: true }).click()
}

export async function typeSignIn(tab: Page, { email, password }: Credentials): Promise<void> {
  await tab.getByLabel('E-mail address or user name').fill(email)
  await tab.getByLabel('Password', { exact: true }).fill(password)
}

export const heading = async (tab: Page, name: string | RegExp): Promise<void> =>
  await tab.getByRole('heading', { level: 1, name }).waitFor()

/** The browser stands at the application, which has accepted the answer. */
export const arrivedAt = async (
  tab: Page,
  { name }: ListeningApplication,
  outcome = 'signed in',
): Promise<void> => {
  await tab.waitForURL(/\/callback/)
  expect(await tab.locator('h1').innerText()).toBe(`${name}: ${outcome}`)
}
