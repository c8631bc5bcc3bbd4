import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { desktop, type PageOptions } from '../support/browser.ts'
import { type FixedClock, movableClock } from '../support/clock.ts'
import { focusOn, tabTo } from '../support/hands.ts'
import { ada, arrivedAt, fillSignIn, heading, openScene, type Scene, typeSignIn } from '../support/journey.ts'
import { codeOf } from '../support/second-factors.ts'

/** Evaluated from outside the page, where its policy does not reach. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const narrow = { width: 360, height: 740 } as const
/** Names a folder to look at every page afterwards. */
const pictures = process.env.LATCHKEY_TEST_PICTURES

let scene: Scene
let clock: FixedClock
beforeAll(async () => {
  clock = movableClock()
  scene = await openScene({ clock })
})
afterAll(() => scene[Symbol.asyncDispose]())

interface Finding {
  readonly id: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[]
}

/** WCAG 2.2 AA and good practice, by axe-core; beside it a page that scrolls sideways. */
async function faultsOf(tab: Page): Promise<readonly string[]> {
  await tab.evaluate(axe)
  const { violations } = await tab.evaluate<{ violations: Finding[] }>('axe.run()')
  const overflow = await tab.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  return [
    ...violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary ?? ''}`).join('; ')}`,
    ),
    ...(overflow === 0 ? [] : [`scrolls sideways by ${String(overflow)}px`]),
  ]
}

/** Everything that the console complains about, but for the status of an answer. */
function complaints(tab: Page): string[] {
  const heard: string[] = []
  tab.on('pageerror', (error) => heard.push(String(error)))
  tab.on('console', (message) => {
    const isStatus = /^Failed to load resource: the server responded with a status of 4/.test(message.text())
    if (['error', 'warning'].includes(message.type()) && !isStatus) heard.push(message.text())
  })
  return heard
}

const person = async (name: string) => {
  const credentials = { email: `${name}@example.test`, password: `${name} and her seven umbrellas` }
  await scene.latchkey.createUser(credentials)
  return credentials
}
const security = () => `${scene.latchkey.issuer}/account/security`
const keyOn = async (tab: Page): Promise<string> =>
  ((await tab.locator('.typed-key code').textContent()) ?? '').replaceAll(' ', '')
const codesOn = (tab: Page): Promise<string[]> => tab.locator('.recovery-codes code').allTextContents()
const codeNow = (key: string): string => codeOf(key, clock.now())
const wrongCode = (key: string): string => (codeNow(key) === '123456' ? '654321' : '123456')

const looks: readonly (readonly [string, PageOptions])[] = [
  ['on a desktop in the light', { viewport: desktop }],
  ['on a narrow phone in the dark', { viewport: narrow, colorScheme: 'dark' }],
]

/** Every page of authenticator apps and recovery codes, one after the other. */
async function* everyPage(tab: Page, who: { email: string; password: string }): AsyncGenerator<string> {
  await tab.goto(security())
  await fillSignIn(tab, who)
  await heading(tab, 'Sign-in and security')
  yield 'security-empty'
  await tab.getByRole('link', { name: 'Add an authenticator app' }).click()
  await tab.getByText('Type the key instead').click()
  const key = await keyOn(tab)
  yield 'add'
  await tab.getByLabel('Code that the app shows now').fill(wrongCode(key))
  await tab.getByLabel('Name').fill('Das Telefon mit einem ausgesprochen langen Namen, fürwahr')
  await tab.getByRole('button', { name: 'Add the app' }).click()
  await tab.getByRole('alert').waitFor()
  yield 'add-wrong'
  await tab.getByLabel('Code that the app shows now').fill(codeNow(key))
  await tab.getByRole('button', { name: 'Add the app' }).click()
  await heading(tab, 'Your new recovery codes')
  yield 'codes'
  await tab.getByLabel('I have saved the codes').check()
  await tab.getByRole('button', { name: 'Done' }).click()
  await heading(tab, 'Sign-in and security')
  yield 'security-full'
  await tab.getByRole('link', { name: 'Rename Das Telefon' }).click()
  yield 'rename'
  await tab.goBack()
  await tab.getByRole('link', { name: 'Remove Das Telefon' }).click()
  yield 'remove'
  await tab.goto(`${security()}/recovery-codes/make`)
  yield 'codes-anew'
  yield* signingIn(tab, who, await (async () => codesOn(tab))())
}

async function* signingIn(
  tab: Page,
  who: { email: string; password: string },
  codes: readonly string[],
): AsyncGenerator<string> {
  await tab.getByLabel('I have saved the codes').check()
  await tab.getByRole('button', { name: 'Done' }).click()
  await heading(tab, 'Sign-in and security')
  await tab.context().clearCookies()
  await tab.goto(scene.shop.signIn())
  await fillSignIn(tab, who)
  await heading(tab, 'One more step')
  yield 'second-step'
  await tab.getByLabel('Code from your authenticator app').fill('12345')
  await tab.getByRole('button', { name: 'Continue' }).click()
  await tab.getByRole('alert').waitFor()
  yield 'second-step-wrong'
  await tab.getByRole('link', { name: 'Use a recovery code' }).click()
  yield 'recovery-code'
  await tab.getByLabel('Recovery code').fill('ABCD')
  await tab.getByRole('button', { name: 'Continue' }).click()
  await tab.getByRole('alert').waitFor()
  yield 'recovery-code-wrong'
  await tab.getByLabel('Recovery code').fill(codes[0] ?? '')
  await tab.getByRole('button', { name: 'Continue' }).click()
  await heading(tab, 'You have 9 recovery codes left')
  yield 'warning'
  await tab.getByRole('button', { name: 'Go on with the old ones' }).click()
  await arrivedAt(tab, scene.shop)
}

/** The pages on which somebody adds an app in the middle of a sign-in that demands it. */
async function* enrolling(tab: Page, who: { email: string; password: string }): AsyncGenerator<string> {
  await tab.goto(scene.shop.signIn({ acr_values: 'urn:latchkey:acr:multi-factor' }))
  await fillSignIn(tab, who)
  await tab.getByRole('link', { name: 'Authenticator app' }).click()
  await heading(tab, 'Authenticator app')
  yield 'enrol'
  await tab.getByLabel('Code that the app shows now').fill(codeNow(await keyOn(tab)))
  await tab.getByRole('button', { name: 'Add the app' }).click()
  await heading(tab, 'Recovery codes')
  yield 'enrol-codes'
  await tab.getByLabel('I have saved the codes').check()
  await tab.getByRole('button', { name: 'Done' }).click()
  await arrivedAt(tab, scene.shop)
}

describe('pages of authenticator apps and recovery codes', () => {
  it.each(looks)(
    'are accessible, fit, and break no rule, %s',
    { timeout: 120_000 },
    async (name, options) => {
      const tab = await scene.openTab(options)
      const heard = complaints(tab)
      const found: Record<string, readonly string[]> = {}
      const number = looks.findIndex(([each]) => each === name)
      const look = async (pages: AsyncGenerator<string>): Promise<void> => {
        for await (const page of pages) {
          if (pictures !== undefined)
            await tab.screenshot({ path: join(pictures, `two-steps ${page}, ${name}.png`), fullPage: true })
          const wrong = [...heard.splice(0), ...(await faultsOf(tab))]
          if (wrong.length > 0) found[page] = wrong
        }
      }
      await look(everyPage(tab, await person(`eve-${number}`)))
      await tab.context().clearCookies()
      await look(enrolling(tab, await person(`mia-${number}`)))
      expect(found).toEqual({})
      await tab.context().close()
    },
  )
})

describe('two steps', () => {
  it('are set up and used by keyboard alone and without JavaScript', { timeout: 60_000 }, async () => {
    const who = await person('keyboard')
    const tab = await scene.openTab({ javaScriptEnabled: false })
    await tab.goto(security())
    await typeSignIn(tab, who)
    await tab.keyboard.press('Enter')
    await heading(tab, 'Sign-in and security')
    await tabTo(tab.getByRole('link', { name: 'Add an authenticator app' }))
    await tab.keyboard.press('Enter')
    await heading(tab, 'Add an authenticator app')
    await tabTo(tab.getByRole('link', { name: 'Open it in an app on this device' }))
    await tab.keyboard.press('Tab')
    await tab.keyboard.press('Enter')
    await tab.locator('.typed-key code').waitFor()
    const key = await keyOn(tab)
    await tabTo(tab.getByRole('textbox', { name: 'Code that the app shows now' }))
    await tab.keyboard.type(codeNow(key))
    await tab.keyboard.press('Enter')
    await heading(tab, 'Your new recovery codes')
    const [code = ''] = await codesOn(tab)
    await tabTo(tab.getByRole('checkbox', { name: 'I have saved the codes' }))
    await tab.keyboard.press('Space')
    await tabTo(tab.getByRole('button', { name: 'Done' }))
    await tab.keyboard.press('Enter')
    await heading(tab, 'Sign-in and security')
    clock.advance(60)

    const other = await scene.openTab({ javaScriptEnabled: false })
    await other.goto(scene.shop.signIn())
    await typeSignIn(other, who)
    await other.keyboard.press('Enter')
    await focusOn(other.getByLabel('Code'))
    await other.keyboard.type(codeNow(key))
    await other.keyboard.press('Enter')
    await arrivedAt(other, scene.shop)

    const third = await scene.openTab({ javaScriptEnabled: false })
    await third.goto(scene.shop.signIn())
    await typeSignIn(third, who)
    await third.keyboard.press('Enter')
    await heading(third, 'One more step')
    await tabTo(third.getByRole('link', { name: 'Use a recovery code' }))
    await third.keyboard.press('Enter')
    await focusOn(third.getByLabel('Recovery code'))
    await third.keyboard.type(code)
    await third.keyboard.press('Enter')
    await heading(third, 'You have 9 recovery codes left')
    await tabTo(third.getByRole('button', { name: 'Go on with the old ones' }))
    await third.keyboard.press('Enter')
    await arrivedAt(third, scene.shop)
    for (const each of [tab, other, third]) await each.context().close()
  })

  it('hand out recovery codes to copy, to keep as a file and to print', { timeout: 60_000 }, async () => {
    const tab = await scene.openTab()
    await tab.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await tab.goto(`${security()}/recovery-codes/make`)
    await fillSignIn(tab, ada)
    await heading(tab, 'Your new recovery codes')
    const codes = (await codesOn(tab)).join('\n')
    await tab.getByRole('button', { name: 'Copy' }).click()
    await tab.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await tab.getByRole('status').innerText()).toBe('Copied')
    expect(await tab.evaluate('navigator.clipboard.readText()')).toBe(codes)

    const downloading = tab.waitForEvent('download')
    await tab.getByRole('button', { name: 'Download' }).click()
    const download = await downloading
    expect(download.suggestedFilename()).toBe('recovery-codes.txt')
    expect(readFileSync(await download.path(), 'utf8')).toBe(`${codes}\n`)

    await tab.evaluate('window.print = () => { document.title = "printed" }')
    await tab.getByRole('button', { name: 'Print' }).click()
    expect(await tab.title()).toBe('printed')
    await tab.emulateMedia({ media: 'print' })
    if (pictures !== undefined)
      await tab.screenshot({ path: join(pictures, 'two-steps printed.png'), fullPage: true })
    expect(await tab.getByText('Recovery codes for Latchkey').isVisible()).toBe(true)
    for (const each of ['button', 'nav', '.footer', '.letterhead', '.tick'])
      for (const element of await tab.locator(each).all())
        expect([each, await element.isVisible()]).toEqual([each, false])
    await tab.context().close()
  })
})
