import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkDocuments, writeDocuments } from './documents.ts'
import { documents as declared } from './generators.ts'
import { plantTree, runCheck } from './tree.ts'

const documents = [
  { file: 'docs/page.md', render: () => '# Page\n\nOne.\n' },
  { file: '.env.example', render: async () => 'A=\n' },
]

it('finds nothing after the documents were written', async () => {
  const root = plantTree({})
  await writeDocuments(root, documents)
  expect(readFileSync(join(root, 'docs/page.md'), 'utf8')).toBe('# Page\n\nOne.\n')
  expect(await checkDocuments(root, documents)).toEqual({ faults: [], summary: '2 documents' })
})

it.each([
  ['changed by hand', '# Page\n\nTwo.\n', 3],
  ['cut short', '# Page\n', 3],
  ['longer than it should be', '# Page\n\nOne.\n\n', 5],
])('finds a document that is %s, and names the command', async (_what, content, line) => {
  const root = plantTree({ 'docs/page.md': content, '.env.example': 'A=\n' })
  const { faults } = await checkDocuments(root, documents)
  expect(faults).toEqual([
    `docs/page.md is stale from line ${line}: run \`npm run docs\` and commit what it writes`,
  ])
  expect(readFileSync(join(root, 'docs/page.md'), 'utf8')).toBe(content)
})

it('finds a missing document and does not write it', async () => {
  const root = plantTree({ '.env.example': 'A=\n' })
  expect((await checkDocuments(root, documents)).faults).toEqual([
    'docs/page.md is missing: run `npm run docs` and commit what it writes',
  ])
  expect(existsSync(join(root, 'docs/page.md'))).toBe(false)
})

it('does not hold when no document is declared', async () => {
  expect((await checkDocuments(plantTree({}), [])).faults).toEqual([
    expect.stringContaining('nothing was checked'),
  ])
})

it('holds for every document of this repository: in an empty tree each of them is missing', async () => {
  const { faults } = await runCheck('documents', plantTree({}))
  expect(faults).toEqual(
    declared.map(({ file }) => `${file} is missing: run \`npm run docs\` and commit what it writes`),
  )
  expect(faults.length).toBeGreaterThan(0)
})
