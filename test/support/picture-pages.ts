/**
 * Takes the pictures of every page in docs/images/pages, in light and dark, and writes docs/screens.md:
 * `npm run screenshots`, or `npm run screenshots -- --language ar --folder <folder>` to look at them in another one.
 *
 * Made again, they are the same: the clock stands still, and what is random on a page is replaced before its picture.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { qrPicture } from '../../src/features/totp/qr.ts'
import { after } from '../../src/kernel/clock.ts'
import { openBrowser } from './browser.ts'
import type { FixedClock } from './clock.ts'
import { openGrounds } from './grounds.ts'
import { tour } from './tour.ts'

const docs = join(import.meta.dirname, '../../docs')
const { language, folder } = parseArgs({
  options: {
    language: { type: 'string', default: 'en' },
    folder: { type: 'string', default: join(docs, 'images/pages') },
  },
}).values
const narrow = { width: 390, height: 600 } as const
const wide = { width: 1024, height: 640 } as const
const at = new Date('2026-03-03T14:05:00Z')
const schemes = ['light', 'dark'] as const

const recoveryCodes = Array.from({ length: 10 }, (_, set) =>
  Array.from(
    { length: 6 },
    (_, group) => ['7K2M', 'Q9XD', 'H4TR', 'P8WC', 'N3VJ', 'Z6FB'][(set + group) % 6],
  ).join('-'),
)

const qr = await qrPicture('otpauth://totp/Latchkey:ada@example.test?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP')

interface Picture {
  readonly stop: string
  readonly title: string
  readonly place: 'Signing in' | 'The account' | 'Everything else'
}

const scratch = mkdtempSync(join(tmpdir(), 'latchkey-pictures-'))
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
try {
  await using grounds = await openGrounds({
    clock: countingClock(at),
    databaseUrl: `file:${join(scratch, 'latchkey.db')}`,
    environment: { PORT: '3999' },
  })
  await using browser = await openBrowser()
  const tab = await browser.newPage({ viewport: narrow, locale: language })
  const pictures: Picture[] = []
  for await (const stop of tour(grounds, tab)) pictures.push(await take(tab, stop))
  if (folder === join(docs, 'images/pages')) writeFileSync(join(docs, 'screens.md'), index(pictures))
  console.log(`${pictures.length} pages, ${readdirSync(folder).length} pictures in ${folder}`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** Hardly moves, so that pages say the same time, but enough to tell which of two things was first. */
function countingClock(start: Date): FixedClock {
  let at = start
  const advance = (seconds: number): void => {
    at = after(at, seconds)
  }
  return {
    advance,
    now() {
      advance(0.001)
      return at
    },
  }
}

async function take(tab: Page, stop: string): Promise<Picture> {
  const isAccount = (await tab.locator('.card-account').count()) > 0
  await tab.setViewportSize(isAccount || stop.startsWith('inbox') ? wide : narrow)
  await tab.evaluate(steady, { at: at.toISOString(), qr, codes: recoveryCodes })
  for (const colorScheme of schemes) {
    await tab.emulateMedia({ colorScheme })
    const picture = await tab.screenshot({ fullPage: true, animations: 'disabled', caret: 'hide' })
    await sharp(picture)
      .webp({ quality: 80, effort: 6 })
      .toFile(join(folder, `${stop}.${colorScheme}.webp`))
  }
  await tab.emulateMedia({ colorScheme: 'light' })
  await tab.setViewportSize(narrow)
  const place = tab.url().includes('/interaction/') ? 'Signing in' : 'Everything else'
  const [title = ''] = (await tab.title()).split(' · ')
  return { stop, title, place: isAccount ? 'The account' : place }
}

interface Steady {
  readonly at: string
  readonly qr: { readonly size: number; readonly path: string }
  readonly codes: readonly string[]
}

/** In the page: what would be another one the next time. */
function steady({ at: instant, qr: drawing, codes }: Steady): void {
  const words = new Intl.DateTimeFormat(document.documentElement.lang, {
    dateStyle: 'long',
    timeStyle: 'short',
  })
  for (const time of document.querySelectorAll('main time'))
    time.textContent = words.format(new Date(instant))
  document.querySelectorAll('.recovery-codes code').forEach((code, place) => {
    code.textContent = codes[place] ?? ''
  })
  const key = document.querySelector('.typed-key code')
  if (key !== null) key.textContent = 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP'
  document.querySelector('.qr')?.setAttribute('viewBox', `0 0 ${drawing.size} ${drawing.size}`)
  document.querySelector('.qr path')?.setAttribute('d', drawing.path)
  const texts = document.createTreeWalker(
    document.querySelector('main') ?? document.body,
    NodeFilter.SHOW_TEXT,
  )
  while (texts.nextNode()) {
    const text = texts.currentNode
    text.nodeValue = (text.nodeValue ?? '')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, '01998a3c-7d52-7b31-9c04-6f2e5a1b8d70')
      .replace(/^\s*\d{4} \d{4}\s*$/, '1234 5678')
      .replace(/^\s*[B-Z]{4}-[B-Z]{4}\s*$/, 'BDWP-HQPK')
  }
}

function index(pictures: readonly Picture[]): string {
  const places = ['Signing in', 'The account', 'Everything else'] as const
  const section = (place: Picture['place']): string =>
    `## ${place}\n\n${rows(pictures.filter((picture) => picture.place === place)).join('\n')}\n`
  return `# Every page\n\nMade by \`npm run screenshots\`; your browser’s colours choose between light and dark.\n\n${places.map(section).join('\n')}`
}

function rows(pictures: readonly Picture[]): readonly string[] {
  const columns = 3
  const count = Math.ceil(pictures.length / columns)
  const lines = Array.from({ length: count }, (_, row) => {
    const cells = pictures.slice(row * columns, (row + 1) * columns).map(cell)
    return `<tr>${cells.join('')}</tr>`
  })
  return ['<table>', ...lines, '</table>']
}

function cell({ stop, title }: Picture): string {
  return `<td valign="top"><picture><source media="(prefers-color-scheme: dark)" srcset="images/pages/${stop}.dark.webp"><img src="images/pages/${stop}.light.webp" width="260" alt="${stop}"></picture><br>${title}</td>`
}
