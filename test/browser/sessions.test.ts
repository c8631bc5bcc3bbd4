import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { desktop, phone } from '../support/browser.ts'
import { tabTo } from '../support/hands.ts'
import { ada, fillSignIn, heading, openScene, type Scene } from '../support/journey.ts'
import { faultsInScheme, faultsOf, watch } from '../support/page-faults.ts'

describe('the places where somebody is signed in', () => {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene()
  })
  afterEach(() => scene[Symbol.asyncDispose]())

  const account = (path: string): string => `${scene.latchkey.issuer}/account/${path}`

  it('end from one browser what another one has open, in all its tabs', async () => {
    const there = await scene.signedInTab()
    const otherTab = await there.context().newPage()
    await otherTab.goto(account('devices'))
    const here = await scene.signedInTab()
    await here.goto(account('devices'))
    await here
      .getByRole('button', { name: /^Sign out of / })
      .first()
      .click()
    await here.getByText('That session has ended').waitFor()
    for (const tab of [there, otherTab]) {
      await tab.goto(account('devices'))
      await tab.getByLabel('E-mail address or user name').waitFor()
    }
    await here.reload()
    await heading(here, 'Devices')
  })

  it('end in another tab what a tab was about to use', async () => {
    const tab = await scene.signedInTab()
    await tab.goto(account('data'))
    const { sessions } = scene.latchkey.app.features.sessions
    await sessions.endAll(scene.adaId, { actor: { kind: 'command-line' } })
    await tab.getByRole('button', { name: 'Download' }).click()
    await tab.getByLabel('E-mail address or user name').waitFor()
  })

  it('are reached and ended by the keyboard alone, and without scripts', async () => {
    await scene.signedInTab()
    const tab = await scene.openTab({ javaScriptEnabled: false })
    await tab.goto(account('devices'))
    await fillSignIn(tab, ada)
    await heading(tab, 'Devices')
    await tabTo(tab.getByRole('button', { name: 'Sign out everywhere else' }))
    await tab.keyboard.press('Enter')
    await tab.getByText('You are signed out everywhere but here.').waitFor()
    await tab.getByText('You are not signed in anywhere else.').waitFor()
  })

  it('are pages without a fault, as those of applications, activity and data are', async () => {
    await scene.signedInTab()
    const tab = await scene.signedInTab()
    const watching = watch(tab, [scene.latchkey.issuer, scene.notes.origin])
    await tab.goto(scene.notes.signIn())
    await tab.getByRole('button', { name: 'Allow' }).click()
    await tab.waitForURL(`${scene.notes.origin}/**`)
    for (const size of [desktop, phone]) {
      await tab.setViewportSize(size)
      for (const path of ['devices', 'applications', 'activity', 'data']) {
        await tab.goto(account(path))
        expect([path, await faultsOf(tab)]).toEqual([path, []])
        for (const scheme of ['light', 'dark'] as const) {
          expect(await faultsInScheme(tab, scheme)).toEqual([])
        }
      }
    }
    expect(watching.faults).toEqual([])
  })
})

describe('an account that is going to be deleted', () => {
  const leave = async (scene: Scene, tab: Page): Promise<void> => {
    await tab.goto(`${scene.latchkey.issuer}/account/data`)
    await tab.getByLabel(`To confirm, type ${ada.email}`).fill(ada.email)
    await tab.getByRole('button', { name: 'Delete my account' }).click()
    await tab.getByRole('status').getByText('Your account will be deleted on').waitFor()
  }

  it('is said at the next sign-in and kept there, on pages without a fault', async () => {
    await using scene = await openScene()
    const tab = await scene.signedInTab()
    await leave(scene, tab)
    expect(await faultsOf(tab)).toEqual([])
    const other = await scene.openTab()
    await other.goto(scene.shop.signIn())
    await fillSignIn(other, ada)
    await heading(other, 'This account is going to be deleted')
    expect(await faultsOf(other)).toEqual([])
    await other.getByRole('button', { name: 'Keep my account' }).click()
    await other.waitForURL(`${scene.shop.origin}/**`)
    await tab.goto(`${scene.latchkey.issuer}/account/data`)
    await tab.getByRole('button', { name: 'Delete my account' }).waitFor()
  })
})
