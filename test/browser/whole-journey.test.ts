/**
 * One person, from making an account to getting it back: every way to sign in, each proven by the application that she
 * arrives at, with a mail server of its own.
 */
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { type FixedClock, movableClock } from '../support/clock.ts'
import { arrivedAt, fillSignIn, heading, openScene, type Scene } from '../support/journey.ts'
import { type ListeningApplication, startApplication } from '../support/listening-application.ts'
import { codeOf } from '../support/second-factors.ts'
import { type SmtpServer, startSmtpServer } from '../support/smtp-server.ts'
import { openAuthenticator } from '../support/virtual-authenticator.ts'

const nora = { email: 'nora@example.test', password: 'seven purple umbrellas' }
const newPassword = 'eleven green parasols'

interface World {
  readonly scene: Scene
  readonly clock: FixedClock
  readonly post: SmtpServer
  readonly payroll: ListeningApplication
}

/** What came by mail since the last time, to Nora: its text. */
function letterbox(post: SmtpServer) {
  let read = 0
  return async (): Promise<string> => {
    await post.arrived(read + 1)
    const mail = post.received[read]
    read += 1
    expect(mail?.to).toEqual([nora.email])
    return mail?.parsed.text ?? ''
  }
}

const linkIn = (text: string): string => /https?:\/\/\S+/.exec(text)?.[0] ?? ''
const codeIn = (text: string): string => /\b\d{4} ?\d{4}\b/.exec(text)?.[0] ?? ''
const claimsOf = (application: ListeningApplication) => application.claims.at(-1)

/** A code that no sign-in has used yet. */
const nextCode = (clock: FixedClock, key: string): string => {
  clock.advance(60)
  return codeOf(key, clock.now())
}

async function register(tab: Page, { scene }: World, nextMail: () => Promise<string>): Promise<void> {
  await tab.goto(scene.shop.signIn())
  await tab.getByRole('link', { name: 'Create an account' }).click()
  await heading(tab, 'Create your account')
  await tab.getByLabel('E-mail address').fill(nora.email)
  await tab.getByLabel('Password', { exact: true }).fill(nora.password)
  await tab.getByRole('button', { name: 'Continue' }).click()
  await heading(tab, 'Check your mail')
  await tab.getByLabel('Code').fill(codeIn(await nextMail()))
  await tab.getByRole('button', { name: 'Create account' }).click()
  await arrivedAt(tab, scene.shop)
  expect(claimsOf(scene.shop)).toMatchObject({ amr: ['pwd'] })
}

/** An authenticator app, and the recovery codes that come with the first one. */
async function addApp(tab: Page, { scene, clock }: World) {
  await tab.goto(`${scene.latchkey.issuer}/account/security`)
  await tab.getByRole('link', { name: 'Add an authenticator app' }).click()
  await tab.getByText('Type the key instead').click()
  const key = ((await tab.locator('.typed-key code').textContent()) ?? '').replaceAll(' ', '')
  await tab.getByLabel('Code that the app shows now').fill(codeOf(key, clock.now()))
  await tab.getByRole('button', { name: 'Add the app' }).click()
  await heading(tab, 'Your new recovery codes')
  const codes = await tab.locator('.recovery-codes code').allTextContents()
  await tab.getByLabel('I have saved the codes').check()
  await tab.getByRole('button', { name: 'Done' }).click()
  await heading(tab, 'Sign-in and security')
  return { key, codes }
}

const giveCode = async (tab: Page, code: string): Promise<void> => {
  await heading(tab, 'One more step')
  await tab.getByLabel('Code from your authenticator app').fill(code)
  await tab.getByRole('button', { name: 'Continue' }).click()
}

it('leads from a new account through every way to sign in, a lost phone and a forgotten password', {
  timeout: 120_000,
}, async () => {
  const clock = movableClock()
  await using post = await startSmtpServer()
  await using scene = await openScene({
    clock,
    environment: {
      LATCHKEY_REGISTRATIONS_MODE: 'open',
      LATCHKEY_EMAIL_CODES_USE: 'first',
      LATCHKEY_PASSKEYS_OFFER: 'false',
      LATCHKEY_MAIL_SMTP_URL: `smtp://127.0.0.1:${post.port}`,
    },
  })
  await using payroll = await startApplication(scene.latchkey, {
    name: 'Payroll',
    firstParty: true,
    requiredLevel: 'phishing-resistant',
  })
  const world = { scene, clock, post, payroll }
  const nextMail = letterbox(post)
  const laptop = await scene.openTab()

  await register(laptop, world, nextMail)
  const { key, codes } = await addApp(laptop, world)
  expect(await nextMail()).toContain('authenticator app')
  expect(await nextMail()).toContain('recovery codes')

  // With the password and the app, on a phone.
  const phone = await scene.openTab()
  await phone.goto(scene.shop.signIn())
  await fillSignIn(phone, nora)
  await giveCode(phone, nextCode(clock, key))
  await arrivedAt(phone, scene.shop)
  expect(claimsOf(scene.shop)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] })

  // One application wants a passkey: she has none, and makes one on the way, once she has shown that it is still she.
  const device = await openAuthenticator(laptop)
  await laptop.goto(payroll.signIn())
  await heading(laptop, 'Confirm it’s you')
  await laptop.getByLabel('Password', { exact: true }).fill(nora.password)
  await laptop.getByRole('button', { name: 'Confirm' }).click()
  await giveCode(laptop, nextCode(clock, key))
  await laptop.getByRole('button', { name: 'Create a passkey' }).click()
  await arrivedAt(laptop, payroll)
  expect(claimsOf(payroll)).toMatchObject({ acr: 'urn:latchkey:acr:phishing-resistant' })
  expect(await nextMail()).toContain('passkey')

  // Which signed the phone out; the laptop needs no password and no name from now on.
  await phone.goto(scene.shop.signIn())
  await phone.getByLabel('Password', { exact: true }).waitFor()
  await laptop.context().clearCookies()
  await laptop.goto(payroll.signIn())
  await arrivedAt(laptop, payroll)
  expect(claimsOf(payroll)).toMatchObject({ acr: 'urn:latchkey:acr:phishing-resistant' })

  // With a mailed code and the app.
  await phone.getByLabel('E-mail address or user name').fill(nora.email)
  await phone.getByRole('button', { name: 'E-mail me a code instead' }).click()
  await phone.getByLabel('Code').fill(codeIn(await nextMail()))
  await phone.getByRole('button', { name: 'Continue' }).click()
  await giveCode(phone, nextCode(clock, key))
  await arrivedAt(phone, scene.shop)

  // The laptop is lost, and the app with it: a recovery code opens the door, and the password is replaced by mail.
  await device.remove()
  const borrowed = await scene.openTab()
  await borrowed.goto(scene.shop.signIn())
  await borrowed.getByRole('link', { name: 'Forgot your password?' }).click()
  await borrowed.getByLabel('E-mail address or user name').fill(nora.email)
  await borrowed.getByRole('button', { name: 'Send the link' }).click()
  await heading(borrowed, 'Check your mail')
  await borrowed.goto(linkIn(await nextMail()))
  await borrowed.getByLabel('New password').fill(newPassword)
  await borrowed.getByRole('button', { name: 'Save password' }).click()
  await heading(borrowed, 'Your password is set')
  expect(await nextMail()).toContain('password')
  await borrowed.goto(scene.shop.signIn())
  await fillSignIn(borrowed, { email: nora.email, password: newPassword })
  await heading(borrowed, 'One more step')
  await borrowed.getByRole('link', { name: 'Use a recovery code' }).click()
  await borrowed.getByLabel('Recovery code').fill(codes[0] ?? '')
  await borrowed.getByRole('button', { name: 'Continue' }).click()
  await borrowed.getByRole('button', { name: 'Go on with the old ones' }).click()
  await arrivedAt(borrowed, scene.shop)
  expect(await nextMail()).toContain('recovery code')

  // The reset had ended every session. She signs in elsewhere once more, and ends that from here.
  await phone.goto(`${scene.latchkey.issuer}/account`)
  await fillSignIn(phone, { email: nora.email, password: newPassword })
  await giveCode(phone, nextCode(clock, key))
  await heading(phone, 'Profile')
  await borrowed.goto(`${scene.latchkey.issuer}/account/devices`)
  await borrowed.getByRole('button', { name: 'Sign out everywhere else' }).click()
  await borrowed.getByRole('status').waitFor()
  await phone.reload()
  await phone.getByLabel('Password', { exact: true }).waitFor()
  await borrowed.reload()
  await heading(borrowed, 'Devices')
})
