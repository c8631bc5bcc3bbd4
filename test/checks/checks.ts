import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text as read } from 'node:stream/consumers'
import { checkArrows } from './arrows.ts'
import { checkConformance } from './conformance.ts'
import { checkDocuments } from './documents.ts'
import { documents } from './generators.ts'
import { checkMessages } from './messages.ts'
import { checkOwnWords } from './own-words.ts'
import { checkScatter } from './scatter.ts'
import type { Verdict } from './verdict.ts'

/** One step of `npm run check`, over the tree at `root`. */
export interface Check {
  readonly name: string
  readonly run: (root: string) => Verdict | Promise<Verdict>
}

const tools = join(import.meta.dirname, '../../node_modules/.bin')

/** In the order in which they run; the first that finds a fault ends the run. */
export const checks: readonly Check[] = [
  { name: 'types', run: (root) => runTool(root, [join(tools, 'tsc'), '--noEmit', '--pretty', 'false']) },
  {
    name: 'lint',
    run: (root) =>
      runTool(root, [
        join(tools, 'biome'),
        'check',
        '--diagnostic-level=warn',
        '--error-on-warnings',
        '--max-diagnostics=200',
        '.',
      ]),
  },
  { name: 'arrows', run: checkArrows },
  { name: 'documents', run: (root) => checkDocuments(root, documents) },
  { name: 'conformance', run: checkConformance },
  { name: 'own words', run: checkOwnWords },
  { name: 'messages', run: checkMessages },
  { name: 'scatter', run: checkScatter },
  { name: 'tests', run: (root) => runTool(root, ['npm', 'test'], 'inherit') },
]

/**
 * A tool of its own process. Its exit code is the verdict; its output is the explanation of a fault, or goes straight
 * to the terminal when that is inherited because the tool takes its time.
 */
async function runTool(
  root: string,
  [command = '', ...args]: readonly string[],
  output: 'pipe' | 'inherit' = 'pipe',
): Promise<Verdict> {
  const tool = spawn(command, args, { cwd: root, stdio: ['ignore', output, output] })
  const ended = once(tool, 'close')
  const text = await textOf([tool.stdout, tool.stderr])
  const [code] = await ended
  const summary = text.split('\n').at(-1) ?? ''
  return { faults: code === 0 ? [] : [text || `${[command, ...args].join(' ')} ended with ${code}`], summary }
}

async function textOf(streams: readonly (Readable | null)[]): Promise<string> {
  const texts = streams.map((stream) => (stream === null ? '' : read(stream)))
  return (await Promise.all(texts)).join('').trim()
}
