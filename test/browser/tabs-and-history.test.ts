import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClock } from '../support/clock.ts'
import {
  ada,
  anotherTab,
  arrivedAt,
  fillSignIn,
  grace,
  heading,
  openScene,
  type Scene,
} from '../support/journey.ts'

let scene: Scene
/** Stands still but for the tests that let time pass. */
const clock = fixedClock(new Date())
beforeAll(async () => {
  scene = await openScene({ clock })
})
afterAll(() => scene[Symbol.asyncDispose]())

const twoTabs = async (first: string, second: string): Promise<readonly [Page, Page]> => {
  const one = await scene.openTab()
  const other = await anotherTab(one.context())
  await one.goto(first)
  await other.goto(second)
  return [one, other]
}

/** The words of the page and where its button leads. */
const wayOn = async (tab: Page): Promise<string> => {
  await tab.locator('a.button.primary').click()
  await tab.waitForLoadState()
  return await tab.locator('h1').innerText()
}

/** As a browser does whose owner has switched them off: whatever the server sets on the way is lost. */
async function keepNoCookies(tab: Page): Promise<void> {
  const session = await tab.context().newCDPSession(tab)
  await session.send('Fetch.enable')
  session.on('Fetch.requestPaused', async ({ requestId, request: { url, method, headers } }) => {
    const answer = await fetch(url, { method, headers, redirect: 'manual' })
    const kept = [...answer.headers].filter(([name]) => !['set-cookie', 'transfer-encoding'].includes(name))
    await session.send('Fetch.fulfillRequest', {
      requestId,
      responseCode: answer.status,
      responseHeaders: kept.map(([name, value]) => ({ name, value })),
      body: Buffer.from(await answer.arrayBuffer()).toString('base64'),
    })
  })
}

describe('two tabs at the sign-in of one application', () => {
  it.each([
    ['in the order they were opened', (tabs: readonly Page[]) => tabs],
    ['in the opposite order', (tabs: readonly Page[]) => tabs.toReversed()],
  ])('both end signed in when they are finished %s', async (_name, order) => {
    const tabs = await twoTabs(scene.shop.signIn(), scene.shop.signIn())
    for (const tab of order(tabs)) {
      await fillSignIn(tab, ada)
      await arrivedAt(tab, scene.shop)
    }
    await tabs[0].context().close()
  })

  it('both end signed in when the second is reloaded after the first is finished', async () => {
    const [one, other] = await twoTabs(scene.shop.signIn(), scene.shop.signIn())
    await fillSignIn(one, ada)
    await arrivedAt(one, scene.shop)
    await other.reload()
    await fillSignIn(other, ada)
    await arrivedAt(other, scene.shop)
    await one.context().close()
  })

  it('end as different people when different people sign in, the later one in charge', async () => {
    const [one, other] = await twoTabs(scene.shop.signIn(), scene.shop.signIn())
    await fillSignIn(one, ada)
    await arrivedAt(one, scene.shop)
    await fillSignIn(other, grace)
    await arrivedAt(other, scene.shop)
    expect(scene.shop.claims.slice(-2).map(({ sub }) => sub)).toEqual([scene.adaId, scene.graceId])
    await one.goto(scene.latchkey.issuer)
    expect(await one.locator('main').innerText()).toContain(grace.email)
    await one.context().close()
  })
})

describe('two tabs at the sign-in of two applications', () => {
  it('both end at their own application', async () => {
    const [one, other] = await twoTabs(scene.shop.signIn(), scene.notes.signIn({ prompt: 'consent' }))
    await fillSignIn(other, ada)
    await heading(other, 'Allow Notes to use your account?')
    await fillSignIn(one, ada)
    await arrivedAt(one, scene.shop)
    await other.getByRole('button', { name: 'Allow' }).click()
    await arrivedAt(other, scene.notes)
    await one.context().close()
  })

  it('both end at their own application when both wait at the consent', async () => {
    const tab = await scene.signedInTab()
    const other = await anotherTab(tab.context())
    await tab.goto(scene.notes.signIn({ prompt: 'consent' }))
    await other.goto(scene.notes.signIn({ prompt: 'consent' }))
    for (const each of [other, tab]) {
      await each.getByRole('button', { name: 'Allow' }).click()
      await arrivedAt(each, scene.notes)
    }
    await tab.context().close()
  })

  it('asks who is there when another tab has signed out meanwhile', async () => {
    const tab = await scene.signedInTab()
    const other = await anotherTab(tab.context())
    await tab.goto(scene.notes.signIn({ prompt: 'consent' }))
    await other.goto(scene.latchkey.issuer)
    await other.getByRole('button', { name: 'Sign out' }).click()
    await heading(other, 'You are signed out')
    await tab.getByRole('button', { name: 'Allow' }).click()
    expect(await tab.locator('h1').innerText()).toBe('This sign-in has ended')
    expect(await wayOn(tab)).toBe('Sign in to Latchkey')
    await tab.context().close()
  })
})

describe('the back button', () => {
  it('after signing in says so, and leads on', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.origin)
    await tab.goto(scene.shop.signIn())
    await fillSignIn(tab, ada)
    await arrivedAt(tab, scene.shop)
    await tab.goBack()
    await heading(tab, 'You are already signed in')
    await tab.reload()
    await heading(tab, 'You are already signed in')
    expect(await wayOn(tab)).toBe('Profile')
    await tab.context().close()
  })

  it('after the consent says that all is done', async () => {
    const tab = await scene.signedInTab()
    await tab.goto(scene.notes.signIn({ prompt: 'consent' }))
    await tab.getByRole('button', { name: 'Allow' }).click()
    await arrivedAt(tab, scene.notes)
    await tab.goBack()
    await heading(tab, 'You are already signed in')
    await tab.context().close()
  })

  it('after a wrong password shows a form that works', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await fillSignIn(tab, { ...ada, password: 'not this one' })
    await tab.getByRole('alert').waitFor()
    await tab.goBack()
    await heading(tab, 'Sign in to Shop')
    expect(await tab.getByRole('alert').count()).toBe(0)
    await fillSignIn(tab, ada)
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })

  it('after cancelling does not sign anybody in, and leads on', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await tab.getByRole('button', { name: 'Cancel' }).click()
    await arrivedAt(tab, scene.shop, 'access_denied')
    await tab.goBack()
    await heading(tab, 'This sign-in has ended')
    expect(await wayOn(tab)).toBe('Sign in to Latchkey')
    await tab.context().close()
  })

  it('after an error page leads to where the person came from', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await tab.goto(`${scene.latchkey.issuer}/nowhere`)
    await heading(tab, 'There is nothing here')
    await tab.goBack()
    await fillSignIn(tab, ada)
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })

  it('after signing out brings nobody back', async () => {
    const tab = await scene.signedInTab()
    await tab.goto(scene.latchkey.issuer)
    expect(await tab.locator('main').innerText()).toContain(ada.email)
    await tab.getByRole('button', { name: 'Sign out' }).click()
    await heading(tab, 'You are signed out')
    await tab.goBack()
    await heading(tab, 'Sign in to Latchkey')
    expect(await tab.content()).not.toContain(ada.email)
    await tab.context().close()
  })
})

describe('a sign-in that cannot go on', () => {
  it('because it took too long says so and leads to a sign-in that works', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    clock.advance(1_801)
    await fillSignIn(tab, ada)
    await heading(tab, 'This sign-in has ended')
    expect(await wayOn(tab)).toBe('Sign in to Latchkey')
    await fillSignIn(tab, ada)
    await heading(tab, 'Profile')
    await tab.goto(scene.shop.signIn())
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })

  it('because it belongs to another browser says so, and does that one no harm', async () => {
    const tab = await scene.openTab()
    const stranger = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await stranger.goto(tab.url())
    await heading(stranger, 'This sign-in belongs to another browser')
    expect(await stranger.locator('main').innerText()).toContain(
      'If someone sent you this link, do not continue.',
    )
    expect(await wayOn(stranger)).toBe('Sign in to Latchkey')
    await fillSignIn(tab, ada)
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
    await stranger.context().close()
  })

  it('because it was bookmarked says so, to whom is signed in and to whom is not', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    const bookmark = tab.url()
    await fillSignIn(tab, ada)
    await arrivedAt(tab, scene.shop)
    await tab.goto(bookmark)
    expect(await wayOn(tab)).toBe('Profile')
    await tab.context().clearCookies()
    await tab.goto(bookmark)
    await heading(tab, 'This sign-in has ended')
    expect(await wayOn(tab)).toBe('Sign in to Latchkey')
    await tab.goto(`${scene.latchkey.issuer}/interaction/never-was`)
    await heading(tab, 'This sign-in has ended')
    await tab.context().close()
  })

  it('because the browser keeps no cookies says so', async () => {
    const tab = await scene.openTab()
    await keepNoCookies(tab)
    await tab.goto(scene.shop.signIn())
    await heading(tab, 'This sign-in belongs to another browser')
    expect(await tab.locator('main').innerText()).toContain('your browser does not keep cookies')
    expect(await tab.context().cookies()).toEqual([])
    await tab.context().close()
  })

  it('because the form is from before the browser was closed says so and leads to one that works', async () => {
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await tab.context().clearCookies({ name: 'latchkey_csrf' })
    await fillSignIn(tab, ada)
    await heading(tab, 'This page was open for too long')
    expect(await wayOn(tab)).toBe('Sign in to Shop')
    await fillSignIn(tab, ada)
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })
})
