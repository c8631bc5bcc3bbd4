/**
 * The launcher in a tree of its own, whose main module says on what it runs. An older Node is pretended by a preloaded
 * module, since the machine may have none.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

const main = `
const said: unknown = { args: process.argv.slice(2), node: process.versions.node, path: process.execPath }
const [what = ''] = process.argv.slice(2)
if (what === 'wait') {
  process.on('SIGTERM', () => { console.log('stopped'); process.exit(3) })
  setInterval(() => {}, 1_000)
}
console.log(JSON.stringify(said))
if (what === 'die') process.kill(process.pid, 'SIGKILL')
else if (what === 'read') process.stdin.pipe(process.stdout)
else if (what !== 'wait') process.exitCode = Number(what)
`

const pretend = `
if (process.env.PRETENDED_NODE) {
  Object.defineProperty(process, 'versions', { value: { ...process.versions, node: process.env.PRETENDED_NODE } })
  delete process.env.PRETENDED_NODE
}
`

const generator = `
import { mkdirSync, writeFileSync } from 'node:fs'
console.log('noise')
for (const name of ['sqlite', 'postgresql']) {
  const folder = new URL('../src/storage/generated/' + name + '/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('client.ts', folder), '')
}
`

let tree: string

beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), 'latchkey-launch-'))
  for (const folder of ['src', 'prisma']) await mkdir(join(tree, folder))
  await cp(join(root, 'src/launch.mjs'), join(tree, 'src/launch.mjs'))
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'))
  await writeFile(join(tree, 'package.json'), '{"type":"module"}')
  await writeFile(join(tree, 'src/main.ts'), main)
  await writeFile(join(tree, 'pretend.mjs'), pretend)
  await writeFile(join(tree, 'prisma/generate.mjs'), generator)
})
afterEach(() => rm(tree, { recursive: true }))

function start(args: readonly string[], pretended?: string): ChildProcessWithoutNullStreams {
  const preload =
    pretended === undefined ? {} : { NODE_OPTIONS: `--import=${pathToFileURL(join(tree, 'pretend.mjs'))}` }
  const env = { ...process.env, ...preload, ...(pretended && { PRETENDED_NODE: pretended }) }
  return spawn(process.execPath, [join(tree, 'src/launch.mjs'), ...args], { env })
}

async function end(child: ChildProcessWithoutNullStreams) {
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code: code as number | null, signal: signal as string | null, stdout, stderr }
}

const run = (args: readonly string[], pretended?: string) => end(start(args, pretended))

describe.each([
  ['a Node that is new enough', undefined],
  ['an older Node', '20.11.1'],
])('on %s', (_, pretended) => {
  it('runs main on Node 26 with the arguments, and ends as it ends', async () => {
    const { code, stdout } = await run(['5', 'two words', '--json', '*', '$HOME', ''], pretended)
    const said = JSON.parse(stdout)
    expect(said.args).toEqual(['5', 'two words', '--json', '*', '$HOME', ''])
    expect(Number(said.node.split('.')[0])).toBeGreaterThanOrEqual(26)
    expect(code).toBe(5)
  })

  it('hands standard input on', async () => {
    const child = start(['read'], pretended)
    child.stdin.end('a password\n')
    expect((await end(child)).stdout).toContain('a password\n')
  })

  it('lets main finish when it is told to stop', async () => {
    const child = start(['wait'], pretended)
    const ended = end(child)
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 3, signal: null, stdout: expect.stringContaining('stopped') })
  })

  it('dies of the signal that main died of', async () => {
    expect(await run(['die'], pretended)).toMatchObject({ code: null, signal: 'SIGKILL' })
  })

  it('generates the database clients when they are missing, once, and says so beside the output', async () => {
    const first = await run(['0'], pretended)
    expect(first.stderr).toContain('Generating the database clients, once.')
    expect(first.stdout).not.toContain('noise')
    expect((await run(['0'], pretended)).stderr).toBe('')
  })

  it('says what failed when they cannot be generated', async () => {
    await writeFile(join(tree, 'prisma/generate.mjs'), 'process.exit(1)')
    const { code, stdout, stderr } = await run(['0'], pretended)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('error: The database clients could not be generated.')
  })
})

it('says what to install when there is only an older Node', async () => {
  await rm(join(tree, 'node_modules'))
  const { code, stdout, stderr } = await run(['0'], '20.11.1')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^error: Latchkey needs Node 26, and this is 20\.11\.1\. Run `npm ci`/)
})
