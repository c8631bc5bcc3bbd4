/**
 * A walk through every page that a person can come to, in a real browser and in any language: what is found by its words
 * would be found in one language alone. Each stop is for whoever looks at the page: for faults, or to take its picture.
 *
 *     await using grounds = await openGrounds()
 *     for await (const stop of tour(grounds, tab)) await look(stop, tab)
 */
import type { Locator, Page } from 'playwright-core'
import { type Grounds, password } from './grounds.ts'
import { openAuthenticator } from './virtual-authenticator.ts'

const newPassword = 'nanoseconds of wire 1906'

const go = async (tab: Page, to: Locator): Promise<void> => {
  await Promise.all([tab.waitForEvent('framenavigated'), to.first().click()])
  await tab.waitForLoadState('load')
}

const send = async (tab: Page): Promise<void> =>
  await go(tab, tab.locator('main button.primary[type=submit]'))

const fill = async (tab: Page, values: Readonly<Record<string, string>>): Promise<void> => {
  for (const [name, value] of Object.entries(values))
    await tab.locator(`main [name="${name}"]`).first().fill(value)
}

const lastMail = async ({ latchkey }: Grounds) => {
  const mail = (await latchkey.mails()).at(-1)
  if (mail === undefined) throw new Error('There is no mail.')
  return mail
}

/** Every stop in its order. */
export async function* tour(grounds: Grounds, tab: Page): AsyncGenerator<string> {
  yield* signingIn(grounds, tab)
  yield* registering(grounds, tab)
  const key = yield* account(grounds, tab)
  yield* secondSteps(grounds, tab, key)
  yield* forgetting(grounds, tab)
  yield* leaving(grounds, tab)
  yield* gettingReady(grounds, tab)
}

async function* signingIn({ notes, latchkey }: Grounds, tab: Page): AsyncGenerator<string> {
  await tab.goto(notes.signIn())
  yield 'sign-in'
  const begun = tab.url()
  yield* withoutCookies(tab, begun, 'other-browser')
  await tab.goto(begun)
  await fill(tab, { identifier: 'ada@example.test', password: 'not this one' })
  await send(tab)
  yield 'sign-in-wrong'
  await tab.goto(`${latchkey.issuer}/nowhere`)
  yield 'error-not-found'
  await tab.goto(`${latchkey.issuer}/auth?client_id=${notes.clientId}&redirect_uri=https://elsewhere.test/`)
  yield 'error-protocol'
}

async function* registering(grounds: Grounds, tab: Page): AsyncGenerator<string> {
  const { notes } = grounds
  await tab.goto(notes.signIn({ prompt: 'create' }))
  yield 'register'
  await fill(tab, { email: 'ada@example.test', password: 'short', name: 'Ada Lovelace' })
  await tab.locator('main [name=terms]').check()
  await send(tab)
  yield 'register-wrong'
  await fill(tab, { password })
  await send(tab)
  yield 'register-code'
  const mail = await lastMail(grounds)
  const waiting = tab.url()
  yield* withoutCookies(tab, mail.link ?? '', 'register-link')
  await tab.goto(waiting)
  await fill(tab, { code: mail.code ?? '' })
  await send(tab)
  yield 'second-step-send'
  await send(tab)
  yield 'second-step-mail'
  const { link = '', code = '' } = await lastMail(grounds)
  const asked = tab.url()
  yield* withoutCookies(tab, link, 'link-elsewhere')
  await tab.goto(link)
  yield 'link-here'
  await tab.goto(asked)
  await fill(tab, { code })
  await send(tab)
  yield* interludes(tab)
  yield 'consent'
  await tab.locator('button[form=allow]').click()
  await tab.waitForURL(/\/callback/)
}

/** The same address in a browser that has never been here. */
async function* withoutCookies(tab: Page, url: string, stop: string): AsyncGenerator<string> {
  const context = tab.context()
  const cookies = await context.cookies()
  await context.clearCookies()
  await tab.goto(url)
  yield stop
  await context.clearCookies()
  await context.addCookies(cookies)
}

/** What comes between the proofs and the end of a sign-in, put off wherever it can be. */
async function* interludes(tab: Page): AsyncGenerator<string> {
  while (tab.url().includes('/interaction/') && (await tab.locator('main .choice').count()) === 0) {
    const action = (await tab.locator('main form').first().getAttribute('action')) ?? ''
    yield `before-${action.split('/').at(-1)}`
    for (const tick of await tab.locator('main [type=checkbox]').all()) await tick.check()
    const later = tab.locator('main button[value=later]')
    await ((await later.count()) > 0 ? go(tab, later) : send(tab))
  }
}

async function* account(grounds: Grounds, tab: Page): AsyncGenerator<string, string> {
  const { issuer } = grounds.latchkey
  const open = async (path: string): Promise<void> => void (await tab.goto(`${issuer}/account${path}`))
  await open('')
  yield 'account'
  await open('/security')
  yield 'security-bare'
  await open('/security/totp/add')
  const key = (await tab.locator('main .command').textContent()) ?? ''
  yield 'totp-add'
  await fill(tab, { code: '000000' })
  await send(tab)
  yield 'totp-add-wrong'
  await fill(tab, { code: grounds.codeOf(key) })
  await send(tab)
  yield 'recovery-codes'
  await tab.locator('main [name=saved]').check()
  await send(tab)
  const authenticator = await openAuthenticator(tab)
  await open('/security/passkeys/add')
  yield 'passkey-add'
  await go(tab, tab.locator('main [data-part=start]'))
  await authenticator.remove()
  yield 'security'
  for (const path of ['/devices', '/applications', '/activity', '/data', '/security/password/change']) {
    await open(path)
    yield path.slice(1).replaceAll('/', '-')
  }
  for (const act of ['totp/rename', 'totp/remove', 'passkeys/rename', 'passkeys/remove']) {
    await open('/security')
    await go(tab, tab.locator(`main a[href*="${act}"]`))
    yield act.replace('/', '-')
  }
  await open('/profile/address/change')
  yield 'address-change'
  return key
}

async function* secondSteps(grounds: Grounds, tab: Page, key: string): AsyncGenerator<string> {
  const { notes, latchkey } = grounds
  await tab.context().clearCookies()
  await tab.goto(notes.signIn({ prompt: 'login' }))
  await fill(tab, { identifier: 'ada@example.test', password })
  await send(tab)
  const begun = tab.url()
  yield 'second-step'
  const ways = await waysOn(tab)
  for (const way of ways) {
    await tab.goto(way)
    yield `second-step-${new URL(way).pathname.split('/').at(-1)}`
  }
  await tab.goto(`${begun}/totp`)
  await tab.locator('main [name=trust]').check()
  await fill(tab, { code: '000000' })
  await send(tab)
  yield 'second-step-wrong'
  await tab.locator('main [name=trust]').check()
  await fill(tab, { code: grounds.codeOf(key) })
  await send(tab)
  await tab.waitForURL(/\/callback/)
  await tab.goto(`${latchkey.issuer}/account/devices`)
  yield 'devices-trusted'
  await tab.goto(notes.signIn({ prompt: 'login' }))
  yield 'confirm'
}

async function* forgetting(grounds: Grounds, tab: Page): AsyncGenerator<string> {
  const { issuer } = grounds.latchkey
  await tab.goto(`${issuer}/reset-password`)
  yield 'forgotten'
  await fill(tab, { identifier: 'grace@example.test' })
  await send(tab)
  yield 'forgotten-sent'
  const { link = '' } = await lastMail(grounds)
  await tab.goto(link)
  yield 'password-choose'
  await fill(tab, { password: 'short' })
  await send(tab)
  yield 'password-choose-wrong'
  await fill(tab, { password: newPassword })
  await send(tab)
  yield 'password-chosen'
  await tab.goto(link)
  yield 'password-link-used'
  await tab.goto(`${issuer}/inbox`)
  yield 'inbox'
  await go(tab, tab.locator('main .inbox a'))
  yield 'inbox-mail'
}

async function* leaving(grounds: Grounds, tab: Page): AsyncGenerator<string> {
  const { latchkey, notes } = grounds
  const { issuer } = latchkey
  await tab.context().clearCookies()
  // She has not accepted the terms, and has a browser that can make passkeys.
  const authenticator = await openAuthenticator(tab)
  await tab.goto(notes.signIn())
  const begun = tab.url()
  await fill(tab, { identifier: 'grace@example.test', password: newPassword })
  await send(tab)
  yield* interludes(tab)
  await authenticator.remove()
  await go(tab, tab.locator('button[form=allow]'))
  await tab.goto(begun)
  yield 'ended'
  await tab.goto(`${issuer}/account/data`)
  await fill(tab, { confirmation: 'grace@example.test' })
  await go(tab, tab.locator('main button.danger'))
  yield 'account-leaving'
  await tab.goto(`${issuer}/session/end?client_id=${notes.clientId}`)
  yield 'sign-out'
  await tab.goto(`${issuer}/account`)
  await go(tab, tab.locator('header button'))
  yield 'signed-out'
  await tab.goto(`${issuer}/account`)
  await fill(tab, { identifier: 'grace@example.test', password: newPassword })
  await send(tab)
  yield* interludes(tab)
}

/** An administrator, of whom more is asked than she can prove. */
async function* gettingReady({ latchkey }: Grounds, tab: Page): AsyncGenerator<string> {
  await tab.context().clearCookies()
  await tab.goto(`${latchkey.issuer}/account`)
  await fill(tab, { identifier: 'root@example.test', password: 'the keys of the house 1' })
  await send(tab)
  yield 'enrol'
  const ways = await waysOn(tab)
  for (const way of ways) {
    await tab.goto(way)
    yield `enrol-${new URL(way).pathname.split('/').at(-1)}`
  }
}

const waysOn = async (tab: Page): Promise<readonly string[]> =>
  await tab
    .locator('main a.way')
    .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href))
