import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { desktop, openBrowser, type PageOptions, type TestBrowser } from '../support/browser.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { faultsOf, watch } from '../support/page-faults.ts'

const narrow = { width: 360, height: 740 } as const
const to = 'wolfeschlegelsteinhausenbergerdorff.hubert.blaine.senior@subdomain.of-a-long-domain.example.test'

let latchkey: RunningLatchkey
let browser: TestBrowser
beforeAll(async () => {
  ;[latchkey, browser] = await Promise.all([startLatchkey(), openBrowser()])
})
afterAll(async () => {
  await browser.close()
  await latchkey.close()
})

const send = async (): Promise<void> => {
  await latchkey.app.features.mail.mail.send({
    to,
    template: 'email-code',
    model: { application: 'Verwaltungsgemeinschaft Donaudampfschifffahrtsgesellschaft', minutes: 5 },
    code: '271828',
    link: `${latchkey.issuer}/nowhere?token=${'k3Yz'.repeat(11)}`,
  })
  await latchkey.mails()
}

const openInbox = async (options: PageOptions): Promise<Page> => {
  const tab = await browser.newPage(options)
  await tab.goto(`${latchkey.issuer}/inbox`)
  return tab
}

const looks: readonly (readonly [string, PageOptions])[] = [
  ['on a desktop in the light', { viewport: desktop }],
  ['on a narrow phone in the dark', { viewport: narrow, colorScheme: 'dark' }],
]

it.each(looks)('is accessible, fits, and breaks no rule of its own, %s', async (_name, options) => {
  await send()
  const tab = await openInbox(options)
  const { faults } = watch(tab, [latchkey.issuer])
  expect(await faultsOf(tab)).toEqual([])
  await tab.locator('.inbox a').first().click()
  await tab.frameLocator('iframe').getByRole('link').first().waitFor()
  expect([...faults, ...(await faultsOf(tab))]).toEqual([])
  await tab.context().close()
})

it('leads from the mail in its frame to where its button leads', async () => {
  await send()
  const tab = await openInbox({ viewport: desktop })
  await tab.locator('.inbox a').first().click()
  await tab.frameLocator('iframe').getByRole('link', { name: 'Continue signing in' }).click()
  await tab.waitForURL(/\/nowhere\?token=/)
  await tab.context().close()
})
