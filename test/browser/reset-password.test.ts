import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { phone } from '../support/browser.ts'
import { ada, arrivedAt, fillSignIn, grace, heading, openScene, type Scene } from '../support/journey.ts'
import { faultsInScheme, faultsOf } from '../support/page-faults.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ environment: { LATCHKEY_PASSKEYS_OFFER: 'false' } })
})
afterAll(() => scene[Symbol.asyncDispose]())

const linkTo = async (address: string): Promise<string> =>
  (await scene.latchkey.mails()).findLast(({ to }) => to === address)?.link ?? ''
const faults = async (tab: Page): Promise<readonly string[]> => [
  ...(await faultsOf(tab)),
  ...(await faultsInScheme(tab, 'dark')),
]

describe.each([
  ['with JavaScript', true, ada],
  ['without JavaScript', false, grace],
] as const)('a forgotten password %s', (_name, javaScriptEnabled, person) => {
  it('is replaced by way of the mail, on a phone, while the sign-in waits', async () => {
    const chosen = `the new phrase of ${person.name.split(' ')[1]} 1`
    const tab = await scene.openTab({ viewport: phone, javaScriptEnabled })
    await tab.goto(scene.shop.signIn())
    const signInUrl = tab.url()
    await tab.getByRole('link', { name: 'Forgot your password?' }).click()
    await heading(tab, 'Reset your password')
    if (javaScriptEnabled) expect(await faults(tab)).toEqual([])
    await tab.getByRole('button', { name: 'Send the link' }).click()
    await tab.getByLabel('E-mail address or user name').fill(person.email)
    await tab.getByRole('button', { name: 'Send the link' }).click()
    await heading(tab, 'Check your mail')
    if (javaScriptEnabled) expect(await faults(tab)).toEqual([])

    await tab.goto(await linkTo(person.email))
    await heading(tab, 'Choose a password')
    await tab.getByLabel('New password').fill('password123')
    await tab.getByRole('button', { name: 'Save password' }).click()
    await tab.locator('#password-error').waitFor()
    if (javaScriptEnabled) expect(await faults(tab)).toEqual([])
    await tab.getByLabel('New password').fill(chosen)
    await tab.getByRole('button', { name: 'Save password' }).click()
    await heading(tab, 'Your password is set')

    // The page on which it began still works.
    await tab.goto(signInUrl)
    await fillSignIn(tab, { email: person.email, password: chosen })
    await arrivedAt(tab, scene.shop)
    await tab.goto(await linkTo(person.email))
    await tab.context().close()
  })
})

it('says of a used link what to do', async () => {
  const tab = await scene.openTab()
  await tab.goto(`${scene.latchkey.issuer}/set-password?token=${'a'.repeat(43)}`)
  await heading(tab, 'This link cannot be used')
  expect(await faults(tab)).toEqual([])
  await tab.getByRole('link', { name: 'Get a new link' }).click()
  await heading(tab, 'Reset your password')
  await tab.context().close()
})
