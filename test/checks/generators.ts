import { join } from 'node:path'
import { type Document, writeDocuments } from './documents.ts'

// Loaded when it renders and not before, so that a source which does not load is first reported by the check of types.
const configuration = () => import('../../src/config/document.ts')
const commandLine = () => import('../../src/cli/index.ts')
const definitions = () => import('../../src/definitions.ts')
const discovery = () => import('../support/discovery-documents.ts')

/** Of the servers that test/support/discovery-documents.ts starts. */
const modes = ['default', 'legacy', 'certificates', 'registration', 'path']

/** Every generated document; `npm run docs` writes them and `npm run check` compares them. */
export const documents: readonly Document[] = [
  { file: 'docs/configuration.md', render: async () => (await configuration()).configurationPage() },
  {
    file: 'docs/command-line.md',
    render: async () => (await commandLine()).commandLineDocument((await definitions()).definitions),
  },
  { file: '.env.example', render: async () => (await configuration()).environmentExample() },
  { file: 'docs/discovery.md', render: async () => (await discovery()).discoveryPage() },
  ...modes.map((mode) => ({
    file: `docs/discovery/${mode}.json`,
    render: async () => (await discovery()).discoveryDocument(mode),
  })),
]

if (import.meta.main) await writeDocuments(join(import.meta.dirname, '../..'), documents)
