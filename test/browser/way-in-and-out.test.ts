import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { focusOn } from '../support/hands.ts'
import { ada, anotherTab, fillSignIn, grace, heading, openScene, type Scene } from '../support/journey.ts'
import { startLatchkey } from '../support/latchkey.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

const said = (tab: Page): Promise<string> => tab.locator('main').innerText()

const scripts = [
  ['with JavaScript', true],
  ['without JavaScript', false],
] as const

describe.each(scripts)('the set-up link %s', (_name, javaScriptEnabled) => {
  it('makes the first administrator, who signs in and finds himself at home', async () => {
    await using latchkey = await startLatchkey()
    const tab = await scene.openTab({ javaScriptEnabled })
    await tab.goto(latchkey.issuer)
    await heading(tab, 'Latchkey is not set up yet')
    const { url } = await latchkey.app.features.setup.setup.issueLink()
    await tab.goto(url)
    await tab.getByLabel('Name', { exact: true }).fill(ada.name)
    await tab.getByLabel('E-mail address').fill(ada.email)
    await tab.getByLabel('Password', { exact: true }).fill('short')
    await tab.getByRole('button', { name: 'Create administrator' }).click()
    expect(await tab.getByRole('alert').innerText()).toBe('Use at least 8 characters.')
    await focusOn(tab.locator('#password'))
    expect(await tab.getByLabel('Name', { exact: true }).inputValue()).toBe(ada.name)
    await tab.getByLabel('Password', { exact: true }).fill(ada.password)
    await tab.getByRole('button', { name: 'Create administrator' }).click()

    await heading(tab, 'Sign in to Latchkey')
    expect(await tab.getByLabel('E-mail address or user name').inputValue()).toBe(ada.email)
    await focusOn(tab.locator('#password'))
    await tab.keyboard.type(ada.password)
    await tab.keyboard.press('Enter')
    await heading(tab, 'Profile')
    expect(await tab.locator('body').innerText()).toContain('Administrator')
    await tab.goto(url)
    await heading(tab, 'Profile')
    await tab.context().close()
  })
})

describe.each(scripts)('the link for choosing a password %s', (_name, javaScriptEnabled) => {
  it('sets it once, ends the session, and leads to a sign-in with it', async () => {
    const email = `chooses-${javaScriptEnabled}@example.test`
    const id = await scene.latchkey.createUser({ email, password: 'the one before it 11' })
    const tab = await scene.openTab({ javaScriptEnabled })
    await tab.goto(scene.latchkey.issuer)
    await fillSignIn(tab, { email, password: 'the one before it 11' })
    await heading(tab, 'Profile')
    const { passwords } = scene.latchkey.app.features.passwords
    const { url } = await passwords.issueLink(id as Parameters<typeof passwords.issueLink>[0], 'reset', {
      actor: commandLineActor,
    })

    await tab.goto(url)
    expect(await said(tab)).toContain(email)
    await focusOn(tab.locator('#password'))
    await tab.getByLabel('New password').fill('the one after it 22')
    await tab.getByRole('button', { name: 'Save password' }).click()
    await heading(tab, 'Your password is set')
    await tab.reload()
    await heading(tab, 'Your password is set')
    await tab.goBack()
    await heading(tab, 'This link cannot be used')
    await tab.goForward()
    await heading(tab, 'Your password is set')
    await tab.getByRole('link', { name: 'Go to your account' }).click()
    await heading(tab, 'Sign in to Latchkey')
    await fillSignIn(tab, { email, password: 'the one after it 22' })
    await heading(tab, 'Profile')
    await tab.context().close()
  })
})

describe('home', () => {
  it('asks who is there, then shows it, until he signs out', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.latchkey.issuer)
    await heading(tab, 'Sign in to Latchkey')
    expect(await tab.getByRole('button', { name: /Cancel/ }).count()).toBe(0)
    await fillSignIn(tab, grace)
    await heading(tab, 'Profile')
    expect(await said(tab)).toContain(grace.email)
    await tab.reload()
    expect(await said(tab)).toContain(grace.email)
    await tab.getByRole('button', { name: 'Sign out' }).click()
    await heading(tab, 'You are signed out')
    await tab.reload()
    await heading(tab, 'You are signed out')
    await tab.getByRole('link', { name: 'Sign in again' }).click()
    await heading(tab, 'Sign in to Latchkey')
    await tab.context().close()
  })

  it('signs out in a tab that another one has signed out already', async () => {
    const tab = await scene.signedInTab()
    const other = await anotherTab(tab.context())
    for (const each of [tab, other]) await each.goto(scene.latchkey.issuer)
    for (const each of [tab, other]) {
      await each.getByRole('button', { name: 'Sign out' }).dblclick({ noWaitAfter: true })
      await heading(each, 'You are signed out')
    }
    await tab.context().close()
  })
})

describe.each(scripts)('signing out at the application %s', (_name, javaScriptEnabled) => {
  it('ends the session and comes back without a question', async () => {
    const tab = await scene.signedInTab({ javaScriptEnabled })
    await tab.goto(scene.shop.signOut())
    if (!javaScriptEnabled) await tab.getByRole('button', { name: 'Continue' }).click()
    await tab.waitForURL(`${scene.shop.origin}/`)
    await tab.goto(scene.shop.signIn())
    await heading(tab, 'Sign in to Shop')
    await tab.context().close()
  })

  it('that cannot prove who it is about is left to the person', async () => {
    const tab = await scene.signedInTab({ javaScriptEnabled })
    const question = `${scene.latchkey.issuer}/session/end?client_id=${scene.shop.clientId}`
    await tab.goto(question)
    await heading(tab, 'Sign out of Latchkey?')
    expect(await said(tab)).toContain(ada.name)
    await tab.getByRole('button', { name: 'Stay signed in' }).click()
    await tab.waitForURL((url) => !url.href.startsWith(question))
    await heading(tab, 'You are still signed in')
    await tab.reload()
    await tab.getByRole('link', { name: 'Go to your account' }).click()
    await heading(tab, 'Profile')
    await tab.goto(question)
    await tab.getByRole('button', { name: 'Sign out' }).click()
    await heading(tab, 'You are signed out')
    await tab.goBack()
    expect(await tab.content()).not.toContain(ada.name)
    await tab.context().close()
  })
})
