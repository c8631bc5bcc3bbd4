/**
 * A walk through every page that a person can come to, in a real browser and in any language: what is found by its words
 * would be found in one language alone. Each stop is for whoever looks at the page: for faults, or to take its picture.
 *
 *     await using grounds = await openGrounds()
 *     for await (const stop of tour(grounds, tab)) await look(stop, tab)
 */
import type { Page } from 'playwright-core'
import { type Grounds, password } from './grounds.ts'
import { type Hands, mouse } from './hands.ts'
import { answering, connecting } from './tour-elsewhere.ts'
import { openAuthenticator } from './virtual-authenticator.ts'
import { fill, go, send, tick, type Walk } from './walk.ts'

const newPassword = 'nanoseconds of wire 1906'

export interface TourOptions {
  readonly hands?: Hands
  /** Make passkeys, too, for which scripts are needed. */
  readonly passkeys?: boolean
}

const lastMail = async ({ latchkey }: Grounds) => {
  const mail = (await latchkey.mails()).at(-1)
  if (mail === undefined) throw new Error('There is no mail.')
  return mail
}

/** Every stop in its order. */
export async function* tour(
  grounds: Grounds,
  tab: Page,
  { hands = mouse, passkeys = true }: TourOptions = {},
): AsyncGenerator<string> {
  const walk = { grounds, tab, hands, passkeys }
  yield* signingIn(walk)
  yield* registering(walk)
  const key = yield* account(walk)
  yield* secondSteps(walk, key)
  yield* forgetting(walk)
  yield* leaving(walk)
  yield* gettingReady(walk)
}

async function* signingIn(walk: Walk): AsyncGenerator<string> {
  const { tab } = walk
  const { notes, latchkey } = walk.grounds
  await tab.goto(notes.signIn())
  yield 'sign-in'
  const begun = tab.url()
  yield* withoutCookies(tab, begun, 'other-browser')
  await tab.goto(begun)
  await fill(walk, { identifier: 'ada@example.test', password: 'not this one' })
  await send(walk)
  yield 'sign-in-wrong'
  await tab.goto(`${latchkey.issuer}/nowhere`)
  yield 'error-not-found'
  await tab.goto(`${latchkey.issuer}/auth?client_id=${notes.clientId}&redirect_uri=https://elsewhere.test/`)
  yield 'error-protocol'
}

async function* registering(walk: Walk): AsyncGenerator<string> {
  const { grounds, tab } = walk
  const { notes } = grounds
  // More is asked for than a password, so that a mailed code is the second step.
  await tab.goto(notes.signIn({ prompt: 'create', acr_values: 'urn:latchkey:acr:multi-factor' }))
  yield 'register'
  await fill(walk, { email: 'ada@example.test', password: 'short', name: 'Ada Lovelace' })
  await tick(walk, 'terms')
  await send(walk)
  yield 'register-wrong'
  await fill(walk, { password })
  await send(walk)
  yield 'register-code'
  const mail = await lastMail(grounds)
  const waiting = tab.url()
  yield* withoutCookies(tab, mail.link ?? '', 'register-link')
  await tab.goto(waiting)
  await fill(walk, { code: mail.code ?? '' })
  await send(walk)
  yield 'second-step-send'
  await send(walk)
  yield 'second-step-mail'
  const { link = '', code = '' } = await lastMail(grounds)
  const asked = tab.url()
  yield* withoutCookies(tab, link, 'link-elsewhere')
  await tab.goto(link)
  yield 'link-here'
  await tab.goto(asked)
  await fill(walk, { code })
  await send(walk)
  yield* interludes(walk)
  yield 'consent'
  await go(walk, tab.locator('button[form=allow]'))
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
async function* interludes(walk: Walk): AsyncGenerator<string> {
  const { tab } = walk
  while (tab.url().includes('/interaction/') && (await tab.locator('main .choice').count()) === 0) {
    const action = (await tab.locator('main form').first().getAttribute('action')) ?? ''
    yield `before-${action.split('/').at(-1)}`
    for (const box of await tab.locator('main [type=checkbox]').all()) await walk.hands.tick(box)
    const later = tab.locator('main button[value=later]')
    await ((await later.count()) > 0 ? go(walk, later) : send(walk))
  }
}

async function* account(walk: Walk): AsyncGenerator<string, string> {
  const { grounds, tab, passkeys } = walk
  const { issuer } = grounds.latchkey
  const open = async (path: string): Promise<void> => void (await tab.goto(`${issuer}/account${path}`))
  await open('')
  yield 'account'
  await open('/security')
  yield 'security-bare'
  await open('/security/totp/add')
  const key = (await tab.locator('main .command').textContent()) ?? ''
  yield 'totp-add'
  await fill(walk, { code: '000000' })
  await send(walk)
  yield 'totp-add-wrong'
  await fill(walk, { code: grounds.codeOf(key) })
  await send(walk)
  yield 'recovery-codes'
  await tick(walk, 'saved')
  await send(walk)
  const authenticator = passkeys ? await openAuthenticator(tab) : undefined
  await open('/security/passkeys/add')
  yield 'passkey-add'
  if (passkeys) await go(walk, tab.locator('main [data-part=start]'))
  else await open('/security')
  await authenticator?.remove()
  yield 'security'
  const own = ['/security/password/change', '/security/password/remove']
  for (const path of ['/devices', '/applications', '/activity', '/data', ...own]) {
    await open(path)
    yield path.slice(1).replaceAll('/', '-')
  }
  await open('/applications')
  await go(walk, tab.locator('main a[href*="consents/narrow"]'))
  yield 'applications-narrow'
  const acts = ['totp/rename', 'totp/remove', ...(passkeys ? ['passkeys/rename', 'passkeys/remove'] : [])]
  for (const act of acts) {
    await open('/security')
    await go(walk, tab.locator(`main a[href*="${act}"]`))
    yield act.replace('/', '-')
  }
  await open('/profile/address/change')
  yield 'address-change'
  yield* answering(walk)
  yield* connecting(walk)
  return key
}

async function* secondSteps(walk: Walk, key: string): AsyncGenerator<string> {
  const { grounds, tab } = walk
  const { notes, latchkey } = grounds
  await tab.context().clearCookies()
  await tab.goto(notes.signIn({ prompt: 'login' }))
  await fill(walk, { identifier: 'ada@example.test', password })
  await send(walk)
  const begun = tab.url()
  yield 'second-step'
  const ways = await waysOn(tab)
  for (const way of ways) {
    await tab.goto(way)
    yield `second-step-${new URL(way).pathname.split('/').at(-1)}`
  }
  await tab.goto(`${begun}/totp`)
  await tick(walk, 'trust')
  await fill(walk, { code: '000000' })
  await send(walk)
  yield 'second-step-wrong'
  await tick(walk, 'trust')
  await fill(walk, { code: grounds.codeOf(key) })
  await send(walk)
  await tab.waitForURL(/\/callback/)
  await tab.goto(`${latchkey.issuer}/account/devices`)
  yield 'devices-trusted'
  await tab.goto(notes.signIn({ prompt: 'login' }))
  yield 'confirm'
}

async function* forgetting(walk: Walk): AsyncGenerator<string> {
  const { grounds, tab } = walk
  const { issuer } = grounds.latchkey
  await tab.goto(`${issuer}/reset-password`)
  yield 'forgotten'
  await fill(walk, { identifier: 'grace@example.test' })
  await send(walk)
  yield 'forgotten-sent'
  const { link = '' } = await lastMail(grounds)
  await tab.goto(link)
  yield 'password-choose'
  await fill(walk, { password: 'short' })
  await send(walk)
  yield 'password-choose-wrong'
  await fill(walk, { password: newPassword })
  await send(walk)
  yield 'password-chosen'
  await tab.goto(link)
  yield 'password-link-used'
  await tab.goto(`${issuer}/inbox`)
  yield 'inbox'
  await go(walk, tab.locator('main .inbox a'))
  yield 'inbox-mail'
}

async function* leaving(walk: Walk): AsyncGenerator<string> {
  const { grounds, tab, passkeys } = walk
  const { latchkey, notes } = grounds
  const { issuer } = latchkey
  await tab.context().clearCookies()
  // She has not accepted the terms, and has a browser that can make passkeys.
  const authenticator = passkeys ? await openAuthenticator(tab) : undefined
  await tab.goto(notes.signIn())
  const begun = tab.url()
  await fill(walk, { identifier: 'grace@example.test', password: newPassword })
  await send(walk)
  yield* interludes(walk)
  await authenticator?.remove()
  await go(walk, tab.locator('button[form=allow]'))
  await tab.goto(begun)
  yield 'ended'
  await tab.goto(`${issuer}/account/data`)
  await fill(walk, { confirmation: 'grace@example.test' })
  await go(walk, tab.locator('main button.danger'))
  yield 'account-leaving'
  await tab.goto(`${issuer}/session/end?client_id=${notes.clientId}`)
  yield 'sign-out'
  await tab.goto(`${issuer}/account`)
  await go(walk, tab.locator('header button'))
  yield 'signed-out'
  await tab.goto(`${issuer}/account`)
  await fill(walk, { identifier: 'grace@example.test', password: newPassword })
  await send(walk)
  yield* interludes(walk)
}

/** An administrator, of whom more is asked than she can prove. */
async function* gettingReady(walk: Walk): AsyncGenerator<string> {
  const { tab } = walk
  const { latchkey } = walk.grounds
  await tab.context().clearCookies()
  await tab.goto(`${latchkey.issuer}/account`)
  await fill(walk, { identifier: 'root@example.test', password: 'the keys of the house 1' })
  await send(walk)
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
