import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { desktop, type PageOptions } from '../support/browser.ts'
import { type Asked, type Device, registerDevice } from '../support/devices.ts'
import { ada, fillSignIn, heading, openScene, type Scene } from '../support/journey.ts'

/** Evaluated from outside the page, where its policy does not reach. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const narrow = { width: 360, height: 740 } as const
/** Names a folder to look at every page afterwards. */
const pictures = process.env.LATCHKEY_TEST_PICTURES
const films = 'https://films.example.test'
const television = {
  'user-agent': 'Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) SamsungBrowser/4.0 TV Safari/538.1',
}

let scene: Scene
let tv: Device
beforeAll(async () => {
  scene = await openScene()
  await scene.latchkey.createApi({
    indicator: films,
    name: 'Films',
    scopes: [{ name: 'films:watch', description: 'Watch films' }],
  })
  tv = await registerDevice(scene.latchkey, {
    scopes: ['openid', 'profile', 'offline_access', 'films:watch'],
  })
})
afterAll(() => scene[Symbol.asyncDispose]())

const begin = (): Promise<Asked> =>
  tv.begin({ scope: 'openid profile offline_access films:watch', resource: films }, { headers: television })

interface Finding {
  readonly id: string
  readonly nodes: readonly { readonly target: readonly string[] }[]
}

/** WCAG 2.2 AA and good practice, by axe-core; beside it a page that scrolls sideways. */
async function faultsOf(tab: Page): Promise<readonly string[]> {
  await tab.evaluate(axe)
  const { violations } = await tab.evaluate<{ violations: Finding[] }>('axe.run()')
  const overflow = await tab.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  return [
    ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => String(target)).join('; ')}`),
    ...(overflow === 0 ? [] : [`scrolls sideways by ${String(overflow)}px`]),
  ]
}

const looks: readonly (readonly [string, PageOptions])[] = [
  ['on a desktop in the light', { viewport: desktop }],
  ['on a narrow phone in the dark', { viewport: narrow, colorScheme: 'dark' }],
]

/** Every page on which a device is brought to an account, one after the other. */
async function* everyPage(tab: Page): AsyncGenerator<string> {
  const { issuer } = scene.latchkey
  await tab.goto(`${issuer}/device`)
  await heading(tab, 'Connect a device')
  yield 'code'
  await tab.getByLabel('Code').fill('bbbb bbbb')
  await tab.getByRole('button', { name: 'Continue' }).click()
  await tab.getByText('There is no such code').waitFor()
  yield 'unknown'
  const asked = await begin()
  await tab.goto(asked.verification_uri_complete)
  await heading(tab, 'Does your device show this code?')
  yield 'asks'
  await tab.getByRole('button', { name: 'Yes, continue' }).click()
  await fillSignIn(tab, ada)
  await heading(tab, 'Sign in Television on your device?')
  yield 'approve'
  await tab.getByRole('button', { name: 'Allow' }).click()
  await heading(tab, 'Your device is connected')
  yield 'approved'
  await tab.goto((await begin()).verification_uri_complete)
  await tab.getByRole('button', { name: 'Yes, continue' }).click()
  await tab.getByRole('button', { name: 'Cancel' }).click()
  await heading(tab, 'The device was not connected')
  yield 'denied'
}

describe('the pages for devices', () => {
  it.each(looks)('have no fault %s, and nothing in the console', async (look, options) => {
    const tab = await scene.openTab(options)
    const heard: string[] = []
    tab.on('pageerror', (error) => heard.push(String(error)))
    tab.on('console', (message) => {
      const isStatus = message
        .text()
        .startsWith('Failed to load resource: the server responded with a status of 4')
      if (['error', 'warning'].includes(message.type()) && !isStatus) heard.push(message.text())
    })
    const found: Record<string, readonly string[]> = {}
    for await (const page of everyPage(tab)) {
      const faults = await faultsOf(tab)
      if (faults.length > 0) found[page] = faults
      if (pictures !== undefined) {
        const path = join(pictures, `device-${page}-${look.replaceAll(' ', '-')}.png`)
        await tab.screenshot({ path, fullPage: true })
      }
    }
    expect(found).toEqual({})
    expect(heard).toEqual([])
    await tab.context().close()
  })

  it('bring a device to its tokens with nothing but a keyboard, the code typed small and without its dash', async () => {
    const tab = await scene.openTab()
    const asked = await begin()
    await tab.goto(asked.verification_uri)
    await tab.locator('#user_code:focus').waitFor()
    await tab.keyboard.type(asked.user_code.toLowerCase().replace('-', ''))
    await tab.keyboard.press('Enter')
    await fillSignIn(tab, ada)
    await heading(tab, 'Sign in Television on your device?')
    await tab.getByText(asked.user_code, { exact: true }).waitFor()
    await tab.getByText('Watch films').waitFor()
    await tab.getByText('Not part of this service').waitFor()
    await tab.getByRole('button', { name: 'Allow' }).focus()
    await tab.keyboard.press('Enter')
    await heading(tab, 'Your device is connected')
    const { status, body } = await tv.poll(asked)
    expect({ status, refreshes: typeof body.refresh_token }).toEqual({ status: 200, refreshes: 'string' })
    await tab.context().close()
  })

  it('do the same without JavaScript', async () => {
    const tab = await scene.openTab({ javaScriptEnabled: false })
    const asked = await begin()
    await tab.goto(asked.verification_uri_complete)
    await tab.getByRole('button', { name: 'Yes, continue' }).click()
    await fillSignIn(tab, ada)
    await tab.getByRole('button', { name: 'Allow' }).click()
    await heading(tab, 'Your device is connected')
    expect((await tv.poll(asked)).status).toBe(200)
    await tab.context().close()
  })

  it('let a double click go through', async () => {
    const tab = await scene.openTab({ javaScriptEnabled: false })
    const asked = await begin()
    await tab.goto(asked.verification_uri_complete)
    await tab.getByRole('button', { name: 'Yes, continue' }).dblclick()
    await fillSignIn(tab, ada)
    await heading(tab, 'Sign in Television on your device?')
    await tab.context().close()
  })

  it('show the picture of a code in a page of somebody else', async () => {
    const tab = await scene.openTab()
    const { user_code } = await begin()
    const { issuer } = scene.latchkey
    await tab.setContent(`<img src="${issuer}/device/qr?user_code=${user_code}&amp;format=png" alt="">`)
    await tab.waitForFunction('document.images[0].complete')
    expect(await tab.evaluate('document.images[0].naturalWidth')).toBeGreaterThan(200)
    await tab.context().close()
  })
})
