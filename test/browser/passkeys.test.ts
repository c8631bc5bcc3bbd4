/** Passkeys as a person meets them: in a real browser with an authenticator that the browser pretends to have. */
import type { CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { focusOn } from '../support/hands.ts'
import { ada, arrivedAt, fillSignIn, heading, openScene, type Scene, typeSignIn } from '../support/journey.ts'

let scene: Scene

beforeAll(async () => {
  scene = await openScene()
})

afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

interface Device {
  readonly cdp: CDPSession
  readonly id: string
}

const plugIn = async (tab: Page, own: Readonly<Record<string, unknown>> = {}): Promise<Device> => {
  const cdp = await tab.context().newCDPSession(tab)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId: id } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      ...own,
    },
  })
  return { cdp, id }
}

const keysOf = async ({ cdp, id }: Device) =>
  (await cdp.send('WebAuthn.getCredentials', { authenticatorId: id })).credentials

/** Answers or leaves unanswered what asks for a passkey by itself, as the list below a field does. */
const answering = async ({ cdp, id }: Device, enabled: boolean): Promise<void> =>
  void (await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: id, enabled }))

const forget = async (): Promise<void> => {
  await scene.latchkey.app.storage.db.passkey.deleteMany()
  await scene.latchkey.app.storage.db.passkeyOwner.deleteMany()
}

/** Ada signed in, with a device but no passkey yet. */
const signedIn = async () => {
  await forget()
  const tab = await scene.signedInTab()
  const device = await plugIn(tab)
  return { tab, device }
}

/** Ada's own device, with a passkey from her account page, and nobody signed in any more. */
const equipped = async () => {
  const { tab, device } = await signedIn()
  await addOne(tab)
  await answering(device, false)
  await tab.context().clearCookies()
  return { tab, device }
}

const addOne = async (tab: Page): Promise<void> => {
  await tab.goto(`${scene.latchkey.issuer}/account/security`)
  await tab.getByRole('link', { name: 'Add a passkey' }).click()
  await heading(tab, 'Add a passkey')
  await tab.getByRole('button', { name: 'Create a passkey' }).click()
  await said(tab, 'was added')
  await tab.goto(`${scene.latchkey.issuer}/account/security`)
}

/** What an account page says of what has just been done. */
const said = async (tab: Page, words: string): Promise<void> =>
  await tab.locator('.notice', { hasText: words }).waitFor()

describe('the account page', () => {
  it('adds a passkey, gives it a new name, and removes it', async () => {
    const { tab, device } = await signedIn()
    await addOne(tab)
    const [key] = await keysOf(device)
    expect(key).toMatchObject({ rpId: 'localhost', isResidentCredential: true, userName: ada.email })
    const list = tab.getByRole('region', { name: 'Passkeys' })
    expect(await list.getByRole('listitem').count()).toBe(1)
    expect(await list.innerText()).toContain('Not used yet')

    await list.getByRole('link', { name: /^Rename/ }).click()
    await heading(tab, 'Rename a passkey')
    await tab.getByLabel('Name').fill('Ada’s laptop')
    await tab.getByRole('button', { name: 'Save' }).click()
    await list.getByText('Ada’s laptop').waitFor()

    await list.getByRole('link', { name: 'Remove Ada’s laptop' }).click()
    await heading(tab, 'Remove a passkey')
    await tab.getByRole('button', { name: 'Remove' }).click()
    await said(tab, 'was removed')
    expect(await list.getByRole('listitem').count()).toBe(0)
    await tab.context().close()
  })

  it('says that this device has one already, and adds none', async () => {
    const { tab } = await signedIn()
    await addOne(tab)
    await tab.getByRole('link', { name: 'Add a passkey' }).click()
    await tab.getByRole('button', { name: 'Create a passkey' }).click()
    await tab.getByText('This device already has a passkey').waitFor()
    expect(await scene.latchkey.app.storage.db.passkey.count()).toBe(1)
    await tab.context().close()
  })

  it('can be used by keyboard alone', async () => {
    const { tab } = await signedIn()
    await tab.goto(`${scene.latchkey.issuer}/account/security/passkeys/add`)
    await focusOn(tab.getByRole('button', { name: 'Create a passkey' }))
    await tab.keyboard.press('Enter')
    await said(tab, 'was added')
    await tab.context().close()
  })
})

describe('signing in without a user name', () => {
  it('takes one button', async () => {
    const { tab, device } = await equipped()
    // Without the list below the field, so that it is the button that did it.
    await tab.addInitScript('PublicKeyCredential.isConditionalMediationAvailable = async () => false')
    await answering(device, true)
    await tab.goto(scene.shop.signIn())
    await tab.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await arrivedAt(tab, scene.shop)
    expect(scene.shop.claims.at(-1)).toMatchObject({ sub: scene.adaId })
    await tab.context().close()
  })

  it('takes a choice in the list below the field', async () => {
    const { tab, device } = await equipped()
    await answering(device, true)
    await tab.goto(scene.shop.signIn())
    await arrivedAt(tab, scene.shop)
    expect(scene.shop.claims.at(-1)).toMatchObject({ sub: scene.adaId })
    await tab.context().close()
  })

  it('says so when nothing came of it, and can be tried again', async () => {
    const { tab, device } = await equipped()
    await tab.goto(scene.shop.signIn())
    await device.cdp.send('WebAuthn.setUserVerified', { authenticatorId: device.id, isUserVerified: false })
    await answering(device, true)
    await tab.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await tab.getByText('Nothing was sent').waitFor()
    await device.cdp.send('WebAuthn.setUserVerified', { authenticatorId: device.id, isUserVerified: true })
    await tab.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })

  it('is refused with a word where the passkey was removed, and the password still works', async () => {
    const { tab, device } = await equipped()
    await forget()
    await tab.goto(scene.shop.signIn())
    await answering(device, true)
    await tab.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await tab.getByRole('alert').filter({ hasText: 'This passkey was not accepted' }).waitFor()
    await fillSignIn(tab, ada)
    await tab.getByRole('button', { name: 'Not now' }).click()
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })

  it('is not offered without JavaScript, with a clear word', async () => {
    const tab = await scene.openTab({ javaScriptEnabled: false })
    await tab.goto(scene.shop.signIn())
    expect(await tab.getByRole('button', { name: 'Sign in with a passkey' }).count()).toBe(0)
    const word = tab.locator('.passkey noscript p')
    await word.waitFor()
    expect(await word.textContent()).toContain('Passkeys need JavaScript')
    await tab.context().close()
  })

  it('works in two tabs of the same browser', async () => {
    const { tab, device } = await equipped()
    await tab.goto(scene.shop.signIn())
    const other = await tab.context().newPage()
    await other.goto(scene.notes.signIn())
    await other.close()
    await answering(device, true)
    await tab.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })
})

describe('a passkey beside the password', () => {
  it('is the second step, where more is asked for than the password', async () => {
    const { tab, device } = await equipped()
    await tab.goto(scene.shop.signIn({ acr_values: 'urn:latchkey:acr:multi-factor' }))
    await fillSignIn(tab, ada)
    await heading(tab, 'One more step')
    await answering(device, true)
    await tab.getByRole('button', { name: 'Use your passkey' }).click()
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })

  it('is asked for where an application wants more than the session has', async () => {
    const { tab } = await signedIn()
    await addOne(tab)
    await tab.goto(scene.shop.signIn({ acr_values: 'urn:latchkey:acr:phishing-resistant' }))
    await heading(tab, 'One more step')
    await tab.getByRole('button', { name: 'Use your passkey' }).click()
    await arrivedAt(tab, scene.shop)
    expect(scene.shop.claims.at(-1)).toMatchObject({
      sub: scene.adaId,
      acr: 'urn:latchkey:acr:phishing-resistant',
      amr: expect.arrayContaining(['pwd', 'user', 'mfa']),
    })
    await tab.context().close()
  })

  it('is enough alone for an application that wants most', async () => {
    const { tab, device } = await equipped()
    await answering(device, true)
    await tab.goto(scene.shop.signIn({ acr_values: 'urn:latchkey:acr:phishing-resistant' }))
    await arrivedAt(tab, scene.shop)
    expect(scene.shop.claims.at(-1)).toMatchObject({
      acr: 'urn:latchkey:acr:phishing-resistant',
      amr: ['hwk', 'user', 'mfa'],
    })
    await tab.context().close()
  })

  it('confirms who is signed in already', async () => {
    const { tab, device } = await equipped()
    await answering(device, true)
    await tab.goto(scene.shop.signIn())
    await arrivedAt(tab, scene.shop)
    await tab.goto(scene.shop.signIn({ prompt: 'login' }))
    await heading(tab, 'Confirm it’s you')
    if ((await tab.getByRole('button', { name: 'Use your passkey' }).count()) === 0)
      await tab.getByRole('link', { name: 'Use a passkey' }).click()
    await tab.getByRole('button', { name: 'Use your passkey' }).click()
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })
})

describe('the offer of a passkey', () => {
  it('comes after a sign-in by password, in a browser that can make one', async () => {
    await forget()
    const tab = await scene.openTab()
    const device = await plugIn(tab)
    await tab.goto(scene.shop.signIn())
    await tab.locator('input[name="able"]').waitFor({ state: 'attached' })
    await fillSignIn(tab, ada)
    await heading(tab, 'Sign in faster next time')
    await tab.getByRole('button', { name: 'Create a passkey' }).click()
    // A way out for who loses it is offered next.
    await tab.getByRole('heading', { name: 'Sign in faster next time' }).waitFor({ state: 'detached' })
    await tab.getByRole('button', { name: 'Not now' }).click()
    await arrivedAt(tab, scene.shop)
    expect(await keysOf(device)).toHaveLength(1)
    await tab.context().close()
  })

  it.each(['Not now', 'Don’t ask again'])('goes away with “%s”', async (answer) => {
    await forget()
    const tab = await scene.openTab()
    await plugIn(tab)
    for (const offered of [true, false]) {
      await tab.context().clearCookies()
      await tab.goto(scene.shop.signIn())
      await tab.locator('input[name="able"]').waitFor({ state: 'attached' })
      await fillSignIn(tab, ada)
      if (offered) await tab.getByRole('button', { name: answer }).click()
      await arrivedAt(tab, scene.shop)
    }
    await tab.context().close()
  })

  it('is not made where the browser cannot make one', async () => {
    await forget()
    const tab = await scene.openTab()
    await tab.goto(scene.shop.signIn())
    await typeSignIn(tab, ada)
    await tab.keyboard.press('Enter')
    await arrivedAt(tab, scene.shop)
    await tab.context().close()
  })
})
