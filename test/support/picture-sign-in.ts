/**
 * Takes the README's pictures of the sign-in page from a server that runs for the purpose:
 * `node test/support/picture-sign-in.ts [folder]`.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBrowser } from './browser.ts'
import { startLatchkey } from './latchkey.ts'
import { startSampleApplication } from './sample-application.ts'

const [folder = join(import.meta.dirname, '../../docs/images')] = process.argv.slice(2)
const scratch = mkdtempSync(join(tmpdir(), 'latchkey-picture-'))
mkdirSync(folder, { recursive: true })
try {
  await using latchkey = await startLatchkey({ databaseUrl: `file:${join(scratch, 'latchkey.db')}` })
  await using sample = await startSampleApplication(latchkey)
  await using browser = await openBrowser()
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 800, height: 600 } })
    await page.goto(`${sample.url}sign-in`)
    await page.getByLabel('E-mail address or user name').fill('ada@example.com')
    await page.screenshot({
      path: join(folder, colorScheme === 'light' ? 'sign-in.png' : 'sign-in-dark.png'),
    })
    await page.context().close()
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
