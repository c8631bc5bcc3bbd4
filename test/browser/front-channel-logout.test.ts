/** OpenID Connect Front-Channel Logout 1.0 in a real browser: what the applications' frames get, and where the person ends up. */
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { desktop, type PageOptions, phone } from '../support/browser.ts'
import { heading, openScene, type Scene } from '../support/journey.ts'
import { freePort } from '../support/latchkey.ts'
import { faultsOf, watch } from '../support/page-faults.ts'

/** Names a folder to look at the page afterwards. */
const pictures = process.env.LATCHKEY_TEST_PICTURES

/** The part of an application that is loaded in a frame: it keeps what it was asked, and answers at once or never. */
async function startFramed() {
  const origin = `http://localhost:${await freePort()}`
  const got: URL[] = []
  let hangs = false
  const server = createServer((request, response) => {
    got.push(new URL(request.url ?? '/', origin))
    if (hangs) return
    // A frame that would like to take over the whole window.
    response.setHeader('content-type', 'text/html').end('<script>top.location = "/taken-over"</script>')
  })
  await new Promise<void>((resolve) => server.listen(Number(new URL(origin).port), 'localhost', resolve))
  return {
    origin,
    got,
    hang(yes: boolean) {
      hangs = yes
    },
    reset() {
      got.length = 0
      hangs = false
      server.closeAllConnections()
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

let scene: Scene
let framed: Awaited<ReturnType<typeof startFramed>>
beforeAll(async () => {
  ;[scene, framed] = await Promise.all([openScene(), startFramed()])
  const { resource } = scene.latchkey.app.features.clients
  const item = await resource.find(scene.shop.clientId)
  if (item === undefined) throw new Error('There is no shop.')
  const input = {
    redirectUris: [`${scene.shop.origin}/callback`, `${framed.origin}/callback`],
    frontchannelLogoutUri: `${framed.origin}/out?part=shop`,
  }
  await resource.update(item, input, commandLineActor)
})
afterEach(() => framed.reset())
afterAll(async () => {
  await framed.close()
  await scene[Symbol.asyncDispose]()
})

const welcome = (tab: Page): Promise<void> => tab.getByRole('heading', { name: 'Shop: welcome' }).waitFor()
const telling = (tab: Page): Promise<void> => heading(tab, 'Signing you out of your applications')
const told = () =>
  framed.got.map(({ pathname, searchParams }) => [pathname, Object.fromEntries(searchParams)])
const asked = () => ['/out', { part: 'shop', iss: scene.latchkey.issuer, sid: scene.shop.claims.at(-1)?.sid }]
/** Signs out at the application, to the page that tells; the frame never loads. */
const standing = async (options: PageOptions): Promise<Page> => {
  const tab = await scene.signedInTab(options)
  framed.hang(true)
  await tab.goto(scene.shop.signOut(), { waitUntil: 'commit' })
  await telling(tab)
  return tab
}

describe('signing out with an application that is told in a frame', () => {
  it('loads it with issuer and session, and leads on to where the application wants', async () => {
    const tab = await scene.signedInTab()
    const { faults } = watch(tab, [scene.latchkey.issuer, scene.shop.origin, framed.origin])
    await tab.goto(scene.shop.signOut())
    await welcome(tab)
    expect(told()).toEqual([asked()])
    // That the frame may not have the window is all that the browser complains of.
    expect(faults.filter((fault) => !/taken-over|is sandboxed/.test(fault))).toEqual([])
  })

  it('does so from our own page, too, without JavaScript', async () => {
    const tab = await scene.signedInTab({ javaScriptEnabled: false })
    await tab.goto(`${scene.latchkey.issuer}/account`)
    await tab.getByRole('button', { name: 'Sign out', exact: true }).first().click()
    await telling(tab)
    await heading(tab, 'You are signed out')
    expect(told()).toEqual([asked()])
  })

  it('waits for no frame for ever, and has a way on for the impatient', async () => {
    const tab = await standing({})
    await welcome(tab)
    const other = await standing({})
    await other.getByRole('link', { name: 'Continue' }).click({ noWaitAfter: true })
    await welcome(other)
  })

  it('lets no other address into a frame', async () => {
    const tab = await standing({})
    const violated = await tab.evaluate<string>(`new Promise((resolve) => {
      addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => resolve(effectiveDirective + ' ' + blockedURI))
      const frame = document.createElement('iframe')
      frame.src = ${JSON.stringify(`${scene.notes.origin}/`)}
      document.body.append(frame)
    })`)
    expect(violated).toBe(`frame-src ${scene.notes.origin}`)
  })

  it.each([
    ['a phone', { viewport: phone }],
    ['a phone, in the dark', { viewport: phone, colorScheme: 'dark' }],
    ['a desktop', { viewport: desktop }],
    ['a desktop, in the dark', { viewport: desktop, colorScheme: 'dark' }],
  ] as const)('looks right on %s', async (name, options) => {
    const tab = await standing(options)
    // Lets the page stand for as long as it is looked at.
    await tab.evaluate('stop()')
    if (pictures !== undefined) await tab.screenshot({ path: join(pictures, `telling, ${name}.png`) })
    expect(await faultsOf(tab)).toEqual([])
  })
})
