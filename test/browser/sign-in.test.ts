import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { focusOn } from '../support/hands.ts'
import {
  ada,
  arrivedAt,
  fillSignIn,
  grace,
  heading,
  openScene,
  type Scene,
  typeSignIn,
} from '../support/journey.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

/** What a screen reader says of the field beside its label. */
const descriptionOf = async (tab: Page, label: string): Promise<string> => {
  const ids = (await tab.getByLabel(label, { exact: true }).getAttribute('aria-describedby')) ?? ''
  return await tab.locator(`#${ids}`).innerText()
}

/**
 * The server has dealt with the first form, and with the redirect after it where `finished`, before it gets the second;
 * the browser has heard nothing of that and goes where the second leads.
 */
async function pressTwice(tab: Page, name: string, finished = false): Promise<void> {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let forms = 0
  const isInteraction = (url: URL): boolean => url.pathname.startsWith('/interaction/')
  await tab.route(isInteraction, async (route) => {
    if (route.request().method() === 'POST') forms += 1
    if (forms !== 1) {
      second.resolve()
      return await route.continue()
    }
    // What a script cannot set the browser adds later.
    const headers = { ...route.request().headers(), 'sec-fetch-site': 'same-origin' }
    const answer = await route.fetch({ headers, maxRedirects: 0 })
    const { location = '' } = answer.headers()
    if (answer.status() !== 303)
      first.reject(new Error(`The first form was answered with ${answer.status()}.`))
    if (finished) {
      await tab.context().request.get(location, { maxRedirects: 0 })
      await tab.context().clearCookies({ name: /^latchkey_session/ })
    }
    first.resolve()
  })
  const box = await tab.getByRole('button', { name, exact: true }).boundingBox()
  if (box === null) throw new Error(`There is no button ${name}.`)
  const press = () => tab.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
  await press()
  await first.promise
  await press()
  await second.promise
  await tab.unroute(isInteraction)
}

const scripts = [
  ['with JavaScript', true],
  ['without JavaScript', false],
] as const

describe.each(scripts)('signing in %s', (_name, javaScriptEnabled) => {
  it('leads through the password and the consent back to the application', async () => {
    const tab = await scene.openTab({ javaScriptEnabled })
    await tab.goto(scene.notes.signIn({ prompt: 'consent' }))
    await heading(tab, 'Sign in to Notes')
    await fillSignIn(tab, ada)
    await heading(tab, 'Allow Notes to use your account?')
    await tab.getByRole('button', { name: 'Allow' }).click()
    await arrivedAt(tab, scene.notes)
    expect(scene.notes.claims.at(-1)).toMatchObject({ sub: scene.adaId, amr: ['pwd'] })
    await tab.context().close()
  })

  it('says what was wrong where a screen reader hears it, and keeps what was typed but the password', async () => {
    const tab = await scene.openTab({ javaScriptEnabled })
    await tab.goto(scene.shop.signIn())
    await fillSignIn(tab, { ...ada, password: 'not this one' })
    const told = 'This account and password do not match. Check both and try again.'
    expect(await tab.getByRole('alert').innerText()).toBe(told)
    expect(await descriptionOf(tab, 'Password')).toBe(told)
    expect(await tab.title()).toMatch(/^Error: /)
    expect(await tab.getByLabel('E-mail address or user name').inputValue()).toBe(ada.email)
    expect(await tab.getByLabel('Password', { exact: true }).inputValue()).toBe('')
    await focusOn(tab.locator('#password'))
    await fillSignIn(tab, ada)
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })

  it('ends signed in after a double click on each button', async () => {
    const tab = await scene.openTab({ javaScriptEnabled })
    const posted: string[] = []
    tab.on(
      'request',
      (request) => request.method() === 'POST' && posted.push(new URL(request.url()).pathname),
    )
    await tab.goto(scene.notes.signIn({ prompt: 'consent' }))
    await typeSignIn(tab, ada)
    await tab.getByRole('button', { name: 'Sign in', exact: true }).dblclick({ noWaitAfter: true })
    await heading(tab, 'Allow Notes to use your account?')
    await tab.getByRole('button', { name: 'Allow' }).dblclick({ noWaitAfter: true })
    await arrivedAt(tab, scene.notes)
    // Without the script it is up to the browser whether presses this close together are one form or two.
    if (javaScriptEnabled) expect(posted.length).toBe(2)
    else expect(posted.length).toBeGreaterThanOrEqual(2)
    await tab.context().close()
  })

  it('leads back to the application as not signed in when the person cancels', async () => {
    const tab = await scene.openTab({ javaScriptEnabled })
    await tab.goto(scene.notes.signIn())
    await tab.getByRole('button', { name: 'Cancel and return to Notes' }).click()
    await arrivedAt(tab, scene.notes, 'access_denied')
    await tab.goto(scene.notes.signIn({ prompt: 'consent' }))
    await fillSignIn(tab, ada)
    await tab.getByRole('button', { name: 'Cancel' }).click()
    await arrivedAt(tab, scene.notes, 'access_denied')
    await tab.context().close()
  })
})

describe('a second press while the answer to the first is on its way', () => {
  it('ends signed in without JavaScript, though the answer to the first is lost', async () => {
    const tab = await scene.openTab({ javaScriptEnabled: false })
    await tab.goto(scene.notes.signIn({ prompt: 'consent' }))
    await typeSignIn(tab, ada)
    await pressTwice(tab, 'Sign in')
    await heading(tab, 'Allow Notes to use your account?')
    await pressTwice(tab, 'Allow')
    await arrivedAt(tab, scene.notes)
    await tab.context().close()
  })

  it('begins again without JavaScript, though the session that the first made is lost', async () => {
    const tab = await scene.openTab({ javaScriptEnabled: false })
    await tab.goto(scene.shop.signIn())
    const interaction = tab.url()
    await typeSignIn(tab, ada)
    await pressTwice(tab, 'Sign in', true)
    await heading(tab, 'Sign in to Shop')
    expect(tab.url()).not.toBe(interaction)
    await fillSignIn(tab, ada)
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })

  it('sends nothing with JavaScript, until the page comes back', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await typeSignIn(tab, ada)
    const answered = await tab.evaluate(`new Promise((resolve) => {
      const [form] = document.forms
      const sent = []
      form.addEventListener('submit', (event) => {
        sent.push(!event.defaultPrevented)
        event.preventDefault()
      })
      const press = () => form.querySelector('button.primary').click()
      press(), press()
      const busy = document.querySelectorAll('[aria-busy]').length
      // As when the back button brings the page out of the browser's memory.
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
      press()
      resolve({ sent, busy })
    })`)
    expect(answered).toEqual({ sent: [true, false, true], busy: 1 })
    await tab.context().close()
  })
})

describe('signing in by keyboard', () => {
  it('needs no mouse from the first field to the consent', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.notes.signIn({ prompt: 'consent' }))
    await focusOn(tab.locator('#identifier'))
    await tab.keyboard.type(ada.email)
    await tab.keyboard.press('Tab')
    await tab.keyboard.type(ada.password)
    await tab.keyboard.press('Enter')
    await heading(tab, 'Allow Notes to use your account?')
    const reached: string[] = []
    for (let presses = 0; presses < 8 && reached.at(-1) !== 'Allow'; presses += 1) {
      await tab.keyboard.press('Tab')
      reached.push(await tab.locator(':focus').innerText())
    }
    expect(reached).toEqual(['Skip to the content', 'Switch', 'Cancel', 'Allow'])
    await tab.keyboard.press('Enter')
    await arrivedAt(tab, scene.notes)
    await tab.context().close()
  })

  it('shows where the focus is on everything that can have it', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await focusOn(tab.locator('#identifier'))
    const outlines: string[] = []
    for (let presses = 0; presses < 4; presses += 1) {
      outlines.push(await tab.evaluate('getComputedStyle(document.activeElement).outlineStyle'))
      await tab.keyboard.press('Tab')
    }
    expect(outlines).toEqual(['solid', 'solid', 'solid', 'solid'])
    await tab.context().close()
  })
})

describe('the button that shows the password', () => {
  it('shows it, says so, and hides it again before the form goes out', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await typeSignIn(tab, ada)
    const field = tab.getByLabel('Password', { exact: true })
    const button = tab.getByRole('button', { name: 'Show password' })
    await button.click()
    expect(await field.getAttribute('type')).toBe('text')
    expect(await button.getAttribute('aria-pressed')).toBe('true')
    await focusOn(tab.locator('#password'))
    await button.click()
    expect(await field.getAttribute('type')).toBe('password')
    await button.click()
    const typeSent = tab.evaluate(`new Promise((resolve) =>
      addEventListener('submit', () => setTimeout(() => resolve(document.querySelector('#password').type))))`)
    await tab.evaluate('document.forms[0].addEventListener("submit", (event) => event.preventDefault())')
    await field.press('Enter')
    expect(await typeSent).toBe('password')
    await tab.context().close()
  })

  it('is not there without JavaScript', async () => {
    const tab = await scene.openTab({ javaScriptEnabled: false })
    await tab.goto(scene.shop.signIn())
    expect(await tab.getByRole('button', { name: 'Show password' }).count()).toBe(0)
    await tab.context().close()
  })
})

describe('who is signed in', () => {
  it('is asked for the password alone when the application wants to be sure', async () => {
    const tab = await scene.signedInTab()
    for (const [wish, value] of [
      ['prompt', 'login'],
      ['max_age', '0'],
    ] as const) {
      await tab.goto(scene.shop.signIn({ [wish]: value }))
      await heading(tab, 'Confirm it’s you')
      expect(await tab.getByLabel('E-mail address or user name').count()).toBe(0)
      expect(await tab.locator('.account').innerText()).toContain(ada.email)
      await focusOn(tab.locator('#password'))
      await tab.getByLabel('Password', { exact: true }).fill(grace.password)
      await tab.getByRole('button', { name: 'Confirm' }).click()
      await tab.getByRole('alert').waitFor()
      expect(await tab.locator('.account').innerText()).toContain(ada.email)
      await tab.getByLabel('Password', { exact: true }).fill(ada.password)
      await tab.getByRole('button', { name: 'Confirm' }).click()
      await arrivedAt(tab, scene.shop)
    }
    await tab.context().close()
  })

  it.each(scripts)('can give way to somebody else at the consent, %s', async (_name, javaScriptEnabled) => {
    const tab = await scene.signedInTab({ javaScriptEnabled })
    await tab.goto(scene.notes.signIn({ prompt: 'consent' }))
    expect(await tab.locator('.account').innerText()).toContain(ada.name)
    await tab.getByRole('button', { name: 'Switch account' }).click()
    await heading(tab, 'Sign in to Notes')
    await fillSignIn(tab, grace)
    if (!javaScriptEnabled) {
      await heading(tab, 'Signing you out')
      await tab.getByRole('button', { name: 'Continue' }).click()
    }
    await heading(tab, 'Allow Notes to use your account?')
    expect(await tab.locator('.account').innerText()).toContain(grace.name)
    await tab.getByRole('button', { name: 'Allow' }).click()
    await arrivedAt(tab, scene.notes)
    expect(scene.notes.claims.at(-1)).toMatchObject({ sub: scene.graceId })
    await tab.goto(scene.latchkey.issuer)
    expect(await tab.locator('main').innerText()).toContain(grace.email)
    await tab.context().close()
  })
})
