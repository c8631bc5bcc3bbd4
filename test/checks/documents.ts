import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Verdict } from './verdict.ts'

/** A file of the repository that is made from the source and never by hand. */
export interface Document {
  /** From the root of the tree. */
  readonly file: string
  readonly render: () => string | Promise<string>
}

const command = 'npm run docs'

/** Renders every document into memory and compares it with the tree at `root`. */
export async function checkDocuments(root: string, documents: readonly Document[]): Promise<Verdict> {
  const faults = await Promise.all(
    documents.map(async ({ file, render }) => {
      const [written, rendered] = await Promise.all([read(join(root, file)), render()])
      if (written === rendered) return []
      const state =
        written === undefined ? 'is missing' : `is stale from line ${firstDifference(written, rendered)}`
      return [`${file} ${state}: run \`${command}\` and commit what it writes`]
    }),
  )
  const none = documents.length === 0 ? ['no document is declared, so nothing was checked'] : []
  return { faults: [...none, ...faults.flat()], summary: `${documents.length} documents` }
}

/** Renders every document into the tree at `root`. */
export async function writeDocuments(root: string, documents: readonly Document[]): Promise<void> {
  for (const { file, render } of documents) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), await render())
  }
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

function firstDifference(written: string, rendered: string): number {
  const lines = rendered.split('\n')
  const index = written.split('\n').findIndex((line, at) => line !== lines[at])
  return (index === -1 ? written.split('\n').length : index) + 1
}
