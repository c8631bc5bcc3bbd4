// Generates the two Prisma clients, one per database, from the models that both share.
// Plain JavaScript for any Node: it runs at the end of `npm ci`, before anything else of the project does.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeLean } from './lean-client.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const command = join(dirname(createRequire(import.meta.url).resolve('prisma/package.json')), 'build/index.js')
const scratch = join(root, 'node_modules/.cache')

mkdirSync(scratch, { recursive: true })
for (const provider of ['sqlite', 'postgresql']) {
  const folder = mkdtempSync(join(scratch, `prisma-${provider}-`))
  const output = join(root, 'src/storage/generated', provider)
  try {
    const header = readFileSync(join(here, provider, 'schema.prisma'), 'utf8')
    const absolute = header.replace(/output\s*=.*/, `output = ${JSON.stringify(output)}`)
    writeFileSync(join(folder, 'schema.prisma'), absolute)
    cpSync(join(here, 'models'), folder, { recursive: true })
    rmSync(output, { recursive: true, force: true })
    execFileSync(process.execPath, [command, 'generate', '--no-hints', '--schema', folder], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      // Generating needs no engine; naming a file that exists keeps Prisma from looking for one to download.
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
    })
    makeLean(output)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
