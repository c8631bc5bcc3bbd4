import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { desktop, type PageOptions } from '../support/browser.ts'
import { type FixedClock, movableClock } from '../support/clock.ts'
import { ada, fillSignIn, heading, openScene, type Scene } from '../support/journey.ts'
import { faultsInScheme, faultsOf, watch } from '../support/page-faults.ts'
import { photograph } from '../support/pictures.ts'

const narrow = { width: 320, height: 640 } as const
const scripts = [
  ['with scripts', true],
  ['without scripts', false],
] as const

let scene: Scene
let clock: FixedClock
let folder: string
let photo: string
beforeAll(async () => {
  clock = movableClock()
  scene = await openScene({
    clock,
    environment: {
      LATCHKEY_PROFILES_FIELDS:
        'nickname, phone_number, birthdate, website, address, department:"Department" fixed',
    },
  })
  folder = mkdtempSync(join(tmpdir(), 'latchkey-pictures-'))
  photo = join(folder, 'photo.jpg')
  writeFileSync(photo, await photograph())
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await scene[Symbol.asyncDispose]()
})

async function openAccount(options: PageOptions = {}): Promise<Page> {
  const tab = await scene.openTab(options)
  await tab.goto(`${scene.latchkey.issuer}/account`)
  await fillSignIn(tab, ada)
  await heading(tab, 'Profile')
  return tab
}

const section = (tab: Page, name: string) => tab.getByRole('region', { name, exact: true })

describe.each(scripts)('a person on the pages of his account, %s', (_name, javaScriptEnabled) => {
  it('changes his name, his details and his language, and is told so', async () => {
    const tab = await openAccount({ javaScriptEnabled })
    const names = section(tab, 'Name')
    await names.getByLabel('Given name').fill('Augusta Ada')
    await names.getByRole('button', { name: 'Save' }).click()
    await tab.getByRole('status').getByText('Your changes have been saved.').waitFor()
    const details = section(tab, 'Details')
    await details.getByLabel('Phone number').fill('12')
    await details.getByRole('button', { name: 'Save' }).click()
    await tab.getByRole('alert').getByText('with its country code').waitFor()
    expect(await tab.title()).toMatch(/^Error: /)
    await details.getByLabel('Phone number').fill('+44 20 7946 0000')
    await details.getByLabel('Postal address').fill('12 St James’s Square\nLondon')
    await details.getByRole('button', { name: 'Save' }).click()
    await tab.getByRole('status').waitFor()
    expect(await details.getByLabel('Phone number').inputValue()).toBe('+442079460000')
    const language = section(tab, 'Language and region')
    await language.getByLabel('Language').selectOption({ label: 'Deutsch' })
    await language.getByLabel('Time zone').selectOption('Europe/London')
    await language.getByRole('button', { name: 'Save' }).click()
    await tab.locator('html[lang="de"]').waitFor()
    await tab.locator('#locale').selectOption('')
    await tab.locator('form[action$="/language/save"] button').click()
    await tab.locator('html[lang="en"]').waitFor()
    await tab.context().close()
  })

  it('gives himself a picture and takes it away', async () => {
    const tab = await openAccount({ javaScriptEnabled })
    const picture = section(tab, 'Picture')
    await picture.getByLabel('Choose a picture').setInputFiles(photo)
    await picture.getByRole('button', { name: 'Use this picture' }).click()
    await tab.getByRole('status').getByText('You have a new picture.').waitFor()
    for (const image of await tab.locator('img[src^="/picture/"]').all())
      expect(await image.getAttribute('src')).toMatch(/^\/picture\//)
    expect(await tab.locator('img[src^="/picture/"]').count()).toBe(2)
    await picture.getByRole('button', { name: 'Remove your picture' }).click()
    await tab.getByRole('status').getByText('Your picture has been removed.').waitFor()
    expect(await tab.locator('img[src^="/picture/"]').count()).toBe(0)
    await tab.context().close()
  })

  it('proves again who he is before a change of credentials, and lands where he wanted to go', async () => {
    const tab = await openAccount({ javaScriptEnabled })
    clock.advance(601)
    await tab.getByRole('link', { name: 'Sign-in and security' }).click()
    await heading(tab, 'Sign-in and security')
    await tab.getByRole('link', { name: 'Add an authenticator app' }).click()
    await heading(tab, 'Confirm it’s you')
    await tab.getByLabel('Password', { exact: true }).fill(ada.password)
    await tab.getByRole('button', { name: 'Confirm' }).click()
    await heading(tab, 'Add an authenticator app')
    expect(new URL(tab.url()).search).toBe('')
    await tab.getByRole('main').getByRole('link', { name: 'Sign-in and security' }).click()
    await heading(tab, 'Sign-in and security')
    await tab.context().close()
  })
})

describe('the pages of an account', () => {
  it('are walked by the keyboard alone', async () => {
    const tab = await openAccount()
    await tab.keyboard.press('Tab')
    await tab.keyboard.press('Enter')
    const reached: string[] = []
    for (let steps = 0; steps < 40 && !reached.includes('zoneinfo'); steps += 1) {
      await tab.keyboard.press('Tab')
      const id = await tab.evaluate('document.activeElement?.id ?? ""')
      if (id !== '') reached.push(String(id))
    }
    expect(reached).toEqual(
      expect.arrayContaining(['picture', 'name', 'given_name', 'nickname', 'address', 'locale', 'zoneinfo']),
    )
    await tab.getByLabel('Full name').focus()
    await tab.keyboard.press('End')
    await tab.keyboard.type(', Countess of Lovelace')
    await tab.keyboard.press('Enter')
    await tab.getByRole('status').waitFor()
    expect(await tab.getByLabel('Full name').inputValue()).toContain('Countess')
    await tab.context().close()
  })

  it('stop a file that is too large before it is sent', async () => {
    const tab = await openAccount()
    const large = join(folder, 'large.jpg')
    writeFileSync(large, Buffer.alloc(9 * 1024 * 1024))
    await tab.getByLabel('Choose a picture').setInputFiles(large)
    await tab.getByRole('button', { name: 'Use this picture' }).click()
    const message = await tab.evaluate(`document.querySelector('#picture').validationMessage`)
    expect(message).toContain('larger than 8 MB')
    expect(await tab.evaluate('location.pathname')).toBe('/account')
    await tab.context().close()
  })

  it.each([
    ['a desktop', desktop],
    ['the narrowest phone', narrow],
  ] as const)(
    'are accessible and fit on %s, with words about what happened and what was wrong',
    async (_name, viewport) => {
      const tab = await openAccount({ viewport })
      const { faults } = watch(tab, [scene.latchkey.issuer])
      const found: Record<string, readonly string[]> = {}
      const look = async (name: string) => {
        const wrong = [...faults.splice(0), ...(await faultsOf(tab)), ...(await faultsInScheme(tab, 'dark'))]
        await tab.emulateMedia({ colorScheme: 'light' })
        if (wrong.length > 0) found[name] = wrong
      }
      await tab.getByLabel('Choose a picture').setInputFiles(photo)
      await tab.getByRole('button', { name: 'Use this picture' }).click()
      await tab.getByRole('status').waitFor()
      await look('profile with a notice and a picture')
      await tab.getByLabel('Website').fill('http://a b')
      await tab
        .locator('form[action$="/fields/save"]')
        .evaluate((form) => ((form as unknown as { noValidate: boolean }).noValidate = true))
      await section(tab, 'Details').getByRole('button', { name: 'Save' }).click()
      await tab.getByRole('alert').waitFor()
      await look('profile with a refused field')
      for (const page of ['security', 'devices', 'applications', 'activity', 'data']) {
        await tab.goto(`${scene.latchkey.issuer}/account/${page}`)
        await look(page)
      }
      await tab.goto(`${scene.latchkey.issuer}/link/address?token=${'A'.repeat(43)}`)
      await heading(tab, 'This link cannot be used')
      await look('a link of no use')
      expect(found).toEqual({})
      await tab.context().close()
    },
  )
})
