import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { desktop, type PageOptions } from '../support/browser.ts'
import { arrivedAt, openScene, type Scene } from '../support/journey.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { type ListeningApplication, startApplication } from '../support/listening-application.ts'

/** Evaluated from outside the page, where its policy does not reach. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
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

/** What must never happen on a page: an error or a blocked thing in the console, a request to anybody else. */
function watch(tab: Page, issuer = scene.latchkey.issuer): { readonly faults: string[] } {
  const faults: string[] = []
  const ours = new Set([issuer, long.origin])
  tab.on('console', (message) => {
    // The browser says so of every answer that is an error, error pages included.
    const isStatus = /^Failed to load resource: the server responded with a status of 4/.test(message.text())
    if (['error', 'warning'].includes(message.type()) && !isStatus) faults.push(message.text())
  })
  tab.on('pageerror', (error) => faults.push(String(error)))
  tab.on('request', (request) => {
    if (!ours.has(new URL(request.url()).origin)) faults.push(`a request to ${request.url()}`)
  })
  return { faults }
}

interface Finding {
  readonly id: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[]
}

/** WCAG 2.2 AA and good practice, by axe-core; beside it what axe does not see: a page that scrolls sideways. */
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

type Words = Readonly<Record<'signIn' | 'identifier' | 'password' | 'signOut', string>>
const english: Words = {
  signIn: 'Sign in',
  identifier: 'E-mail address or user name',
  password: 'Password',
  signOut: 'Sign out',
}
const german: Words = {
  signIn: 'Anmelden',
  identifier: 'E-Mail-Adresse oder Benutzername',
  password: 'Passwort',
  signOut: 'Abmelden',
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
    await tab.getByRole('button', { name: words.signIn }).click()
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
  yield 'home'
  await tab.goto(`${issuer}/session/end?client_id=${long.clientId}`)
  yield 'sign-out'
  await tab.goto(issuer)
  await tab.getByRole('button', { name: words.signOut }).click()
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
    const { faults } = watch(tab)
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
    const { faults } = watch(tab, latchkey.issuer)
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

describe('the sign-in page', () => {
  it('is under 30 KB with all that it loads', async () => {
    const tab = await scene.openTab()
    const sizes: Promise<number>[] = []
    tab.on('response', (response) => {
      if (response.status() === 200) sizes.push(response.body().then((body) => body.length))
    })
    await tab.goto(scene.shop.signIn(), { waitUntil: 'networkidle' })
    const all = await Promise.all(sizes)
    expect(all.length).toBeGreaterThan(2)
    expect(all.reduce((sum, size) => sum + size)).toBeLessThan(30_000)
    await tab.context().close()
  })
})
