import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { desktop, type PageOptions } from '../support/browser.ts'
import { arrivedAt, openScene, type Scene } from '../support/journey.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { type ListeningApplication, startApplication } from '../support/listening-application.ts'
import { faultsOf, watch } from '../support/page-faults.ts'

const narrow = { width: 360, height: 740 } as const
/** Names a folder to look at every page afterwards. */
const pictures = process.env.LATCHKEY_TEST_PICTURES

const longName = 'Verwaltungsgemeinschaft Donaudampfschifffahrtsgesellschaft Personalinformationssystem'
const longPerson = {
  email: 'wolfeschlegelsteinhausenbergerdorff.hubert.blaine.senior@subdomain.of-a-long-domain.example.test',
  name: 'Hubert Blaine Wolfeschlegelsteinhausenbergerdorff Senior',
  password: 'a rather long life 1914',
}

let scene: Scene
let long: ListeningApplication
beforeAll(async () => {
  scene = await openScene()
  await scene.latchkey.createUser(longPerson)
  await scene.latchkey.createApi({
    indicator: 'https://api.example.test/',
    name: 'Donaudampfschifffahrtskapitänsverzeichnis',
    scopes: [{ name: 'captains:read', description: 'Read the list of captains' }, { name: 'captains:write' }],
  })
  long = await startApplication(scene.latchkey, {
    name: longName,
    policyUri: 'https://example.test/privacy',
    tosUri: 'https://example.test/terms',
    scopes: ['openid', 'profile', 'email', 'offline_access', 'captains:read', 'captains:write'],
  })
})
afterAll(async () => {
  await long[Symbol.asyncDispose]()
  await scene[Symbol.asyncDispose]()
})

type Words = Readonly<Record<'signIn' | 'identifier' | 'password', string>>
const english: Words = {
  signIn: 'Sign in',
  identifier: 'E-mail address or user name',
  password: 'Password',
}
const german: Words = {
  signIn: 'Anmelden',
  identifier: 'E-Mail-Adresse oder Benutzername',
  password: 'Passwort',
}
const everything = {
  prompt: 'consent',
  resource: 'https://api.example.test/',
  scope: 'openid profile email offline_access captains:read captains:write',
}

const passwordLink = async (): Promise<string> => {
  const { users, passwords } = scene.latchkey.app.features
  const user = await users.users.findByIdentifier(longPerson.email)
  if (user === undefined) throw new Error('There is no such person.')
  return (await passwords.passwords.issueLink(user.id, 'reset', { actor: commandLineActor })).url
}

/** Every page that a person can come to once the server is set up, one after the other. */
async function* everyPage(tab: Page, words: Words): AsyncGenerator<string> {
  const { issuer } = scene.latchkey
  const enter = async (password: string): Promise<void> => {
    await tab.getByLabel(words.identifier).fill(longPerson.email)
    await tab.getByLabel(words.password, { exact: true }).fill(password)
    await tab.getByRole('button', { name: words.signIn, exact: true }).click()
  }

  await tab.goto(long.signIn(everything))
  const interaction = tab.url()
  yield 'sign-in'
  await enter('not this one')
  await tab.getByRole('alert').waitFor()
  yield 'sign-in-wrong'
  await enter(longPerson.password)
  await tab.locator('.choice').waitFor()
  yield 'consent'
  await tab.locator('button[form=allow]').click()
  await arrivedAt(tab, long)
  await tab.goto(interaction)
  yield 'already-signed-in'
  await tab.goto(long.signIn({ prompt: 'login' }))
  yield 'confirm'
  await tab.goto(issuer)
  yield 'account'
  await tab.goto(`${issuer}/session/end?client_id=${long.clientId}`)
  yield 'sign-out'
  await tab.goto(issuer)
  await tab.locator('header button').click()
  await tab.waitForURL('**/signed-out')
  yield 'signed-out'
  await tab.goto(interaction)
  yield 'ended'
  await tab.goto(`${issuer}/nowhere`)
  yield 'not-found'
  await tab.goto(`${issuer}/auth?client_id=${long.clientId}&redirect_uri=https://elsewhere.test/`)
  yield 'protocol-error'
  yield* choosingAPassword(tab)
}

async function* choosingAPassword(tab: Page): AsyncGenerator<string> {
  const link = await passwordLink()
  const choose = async (password: string): Promise<void> => {
    await tab.locator('#password').fill(password)
    await tab.locator('form button.primary').click()
  }
  await tab.goto(link)
  yield 'choose-password'
  await choose('short')
  await tab.getByRole('alert').waitFor()
  yield 'choose-password-wrong'
  await choose(longPerson.password)
  await tab.locator('a.primary').waitFor()
  yield 'password-chosen'
  await tab.goto(link)
  yield 'link-used'
}

const looks: readonly (readonly [string, PageOptions, Words])[] = [
  ['on a desktop in the light', { viewport: desktop }, english],
  ['on a narrow phone in the dark', { viewport: narrow, colorScheme: 'dark' }, english],
  ['in German on a narrow phone in the light', { viewport: narrow, locale: 'de-DE' }, german],
  ['in German on a desktop in the dark', { viewport: desktop, colorScheme: 'dark', locale: 'de-DE' }, german],
]

describe('every page', () => {
  it.each(looks)('is accessible, fits, and breaks no rule of its own, %s', async (name, options, words) => {
    const tab = await scene.openTab(options)
    const { faults } = watch(tab, [scene.latchkey.issuer, long.origin])
    const found: Record<string, readonly string[]> = {}
    for await (const page of everyPage(tab, words)) {
      expect(await tab.locator('html').getAttribute('lang')).toBe(words === german ? 'de' : 'en')
      if (pictures !== undefined)
        await tab.screenshot({ path: join(pictures, `${page}, ${name}.png`), fullPage: true })
      const wrong = [...faults.splice(0), ...(await faultsOf(tab))]
      if (wrong.length > 0) found[page] = wrong
    }
    expect(found).toEqual({})
    await tab.context().close()
  })

  it.each(looks.slice(0, 2))('of the set-up does so too, %s', async (name, options) => {
    await using latchkey = await startLatchkey()
    const tab = await scene.openTab(options)
    const { faults } = watch(tab, [latchkey.issuer])
    const look = async (page: string): Promise<void> => {
      if (pictures !== undefined)
        await tab.screenshot({ path: join(pictures, `${page}, ${name}.png`), fullPage: true })
      expect([page, ...faults, ...(await faultsOf(tab))]).toEqual([page])
    }
    await tab.goto(latchkey.issuer)
    await look('set-up-without-link')
    await tab.goto((await latchkey.app.features.setup.setup.issueLink()).url)
    await look('set-up')
    await tab.getByLabel('Name', { exact: true }).fill(longPerson.name)
    await tab.getByLabel('E-mail address').fill(longPerson.email)
    await tab.getByLabel('Password', { exact: true }).fill('short')
    await tab.getByRole('button', { name: 'Create administrator' }).click()
    await tab.getByRole('alert').waitFor()
    await look('set-up-wrong')
    await tab.context().close()
  })
})
