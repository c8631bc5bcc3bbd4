/** The removal of a password as a person meets it: with scripts and without, with the keyboard alone, at every width. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { desktop, type PageOptions, phone } from '../support/browser.ts'
import { keyboard } from '../support/hands.ts'
import { ada, fillSignIn, heading, openScene, type Scene } from '../support/journey.ts'
import { faultsInScheme, faultsOf, watch } from '../support/page-faults.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ environment: { LATCHKEY_EMAIL_CODES_USE: 'either' } })
})
afterAll(() => scene[Symbol.asyncDispose]())

/** Ada with a password, and an address to which codes go only where it is confirmed. */
const prepare = async (emailVerified: boolean): Promise<void> => {
  const { storage, features } = scene.latchkey.app
  const { passwords } = features.passwords
  const hash = await passwords.prepare(ada.password, {})
  await storage.transaction((db) => passwords.set(db, scene.adaId, hash))
  const actor = commandLineActor
  await features.users.users.update(scene.adaId as UserId, { emailVerified }, { actor })
}
beforeEach(() => prepare(true))

async function atSecurity(options: PageOptions = {}): Promise<Page> {
  const tab = await scene.openTab(options)
  await tab.goto(`${scene.latchkey.issuer}/account/security`)
  await fillSignIn(tab, ada)
  await heading(tab, 'Sign-in and security')
  return tab
}

describe.each([
  ['with scripts', true],
  ['without scripts', false],
] as const)('somebody who wants no password any more, %s', (_name, javaScriptEnabled) => {
  it('removes it, stays signed in, and signs in with a code from then on', async () => {
    const tab = await atSecurity({ javaScriptEnabled })
    await tab.getByRole('link', { name: 'Remove password' }).click()
    await heading(tab, 'Remove your password')
    await tab.getByRole('button', { name: 'Remove password' }).click()
    await tab.getByRole('status').getByText('Your password was removed.').waitFor()
    await tab.getByText('You have no password.').waitFor()
    expect(await tab.getByRole('link', { name: 'Remove password' }).count()).toBe(0)
    const notice = (await scene.latchkey.mails()).at(-1)
    expect([notice?.to, notice?.text]).toEqual([ada.email, expect.stringContaining('was removed')])
    await tab.context().clearCookies()
    await tab.goto(`${scene.latchkey.issuer}/account/security`)
    await tab.getByLabel('E-mail address or user name').fill(ada.email)
    await tab.getByRole('button', { name: 'E-mail me a code instead' }).click()
    await tab.locator('main [name=code]').waitFor()
    const { code = '' } = (await scene.latchkey.mails()).at(-1) ?? {}
    await tab.locator('main [name=code]').fill(code)
    await tab.locator('main button.primary').click()
    await heading(tab, 'Sign-in and security')
    await tab.getByRole('link', { name: 'Set a password' }).waitFor()
    await tab.context().close()
  })

  it('is told why it stays where he could not sign in without it', async () => {
    await prepare(false)
    const tab = await atSecurity({ javaScriptEnabled })
    await tab.getByRole('link', { name: 'Remove password' }).click()
    await heading(tab, 'Remove your password')
    await tab.getByText('Without the password you could not sign in any more.').waitFor()
    expect(await tab.locator('main form').count()).toBe(0)
    await tab.context().close()
  })
})

describe('the pages on which a password is removed', () => {
  it('are walked by the keyboard alone', async () => {
    const tab = await atSecurity()
    const hands = keyboard(tab)
    await hands.press(tab.getByRole('link', { name: 'Remove password' }))
    await heading(tab, 'Remove your password')
    await hands.press(tab.getByRole('button', { name: 'Remove password' }))
    await tab.getByRole('status').getByText('Your password was removed.').waitFor()
    await tab.context().close()
  })

  it('say so where the last other way goes between the page and its form', async () => {
    const tab = await atSecurity()
    await tab.getByRole('link', { name: 'Remove password' }).click()
    await heading(tab, 'Remove your password')
    await prepare(false)
    await tab.getByRole('button', { name: 'Remove password' }).click()
    await tab.getByText('Without the password you could not sign in any more.').waitFor()
    expect(await tab.title()).toMatch(/^Error: /)
    await tab.context().close()
  })

  it.each([
    ['a desktop', desktop],
    ['a phone', phone],
  ] as const)('are accessible and fit on %s, in both colours', async (_name, viewport) => {
    const tab = await atSecurity({ viewport })
    const { faults } = watch(tab, [scene.latchkey.issuer])
    const found: Record<string, readonly string[]> = {}
    const look = async (name: string): Promise<void> => {
      const wrong = [...faults.splice(0), ...(await faultsOf(tab)), ...(await faultsInScheme(tab, 'dark'))]
      await tab.emulateMedia({ colorScheme: 'light' })
      if (wrong.length > 0) found[name] = wrong
    }
    await look('security')
    await tab.getByRole('link', { name: 'Remove password' }).click()
    await heading(tab, 'Remove your password')
    await look('remove')
    await prepare(false)
    await tab.reload()
    await look('refused')
    expect(found).toEqual({})
    await tab.context().close()
  })
})
