import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configurationPage } from '../../src/config/document.ts'
import { definitions } from '../../src/definitions.ts'
import { closedPorts, openCommandLine } from '../support/command-line.ts'
import { startLatchkey } from '../support/latchkey.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((file) => `docs/${file}`)].filter((file) =>
  file.endsWith('.md'),
)

interface Written {
  readonly argv: readonly string[]
  readonly stdin: string
}

/** The commands of a page in their order, split as a shell does. */
const commandsIn = (page: string): readonly Written[] =>
  [...page.replaceAll('\\\n', ' ').matchAll(/(?:echo '([^']*)' \| )?npx latchkey ([^\n`]*)/g)].map(
    ([, stdin = '', line = '']) => ({
      stdin,
      argv: [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', '')),
    }),
  )

describe('the README', () => {
  it('has commands that do what they say, one after the other', async () => {
    await using latchkey = await startLatchkey()
    const run = openCommandLine({
      ...closedPorts,
      definitions,
      openFeatures: async () => ({ features: latchkey.app.all, close: async () => undefined }),
    })
    const commands = commandsIn(read('README.md'))
    expect(commands.length).toBeGreaterThan(6)
    for (const { argv, stdin } of commands) {
      expect(await run(argv, { stdin }), argv.join(' ')).toMatchObject({ code: 0 })
    }
  })

  it.each(pages)('names only settings that there are: %s', (page) => {
    const named = read(page).match(/\b(?:LATCHKEY_[A-Z_]*[A-Z]|DATABASE_URL(?:_FILE)?)\b(?!_)/g) ?? []
    const settings = configurationPage()
    const ofTheSuite = /^LATCHKEY_TEST_(CHROMIUM|POSTGRESQL_URL)$/
    const unknown = named.filter((name) => !ofTheSuite.test(name) && !settings.includes(`\`${name}\``))
    expect(unknown).toEqual([])
  })

  it.each(pages)('links only to what is there: %s', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)#:]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
      ([, link, image]) => link ?? image ?? '',
    )
    expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([])
  })
})
