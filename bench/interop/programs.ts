/** Programs of the machine's and packages of the project's: whether they are there, and which version. */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { NotHere } from './ground.ts'

/** Where Debian keeps what only its administrator runs. */
const besidePath = ['/usr/sbin', '/usr/lib/apache2/modules']

/** @throws NotHere */
export function find(program: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...besidePath]
  const found = folders.map((folder) => join(folder, program)).find(isThere)
  if (found === undefined) throw new NotHere(`${program} is not installed`)
  return found
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** The first match in what the program prints about itself. */
export function versionOf(program: string, args: readonly string[], pattern = /\d+(\.\d+)+/): string {
  const output = execFileSync(program, [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return pattern.exec(output)?.[0] ?? 'unknown'
}

/** The version of a Debian package, without what Debian adds to it. */
export function debianVersion(name: string): string {
  try {
    return versionOf('dpkg-query', ['-W', '-f', `$${'{Version}'}`, name])
  } catch {
    return 'unknown'
  }
}

/** `name version` of npm packages that are among the project's. */
export function packages(...names: readonly string[]): string {
  return names
    .map((name) => {
      const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
      return `${name.split('/node_modules/').at(-1)} ${version}`
    })
    .join(', ')
}

/** Waits until something is there, ten seconds at most. @throws with what was printed */
export async function seen(look: () => string | undefined, output: () => string): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = look()
    if (found !== undefined) return found
    await pause(50)
  }
  throw new Error(`not printed: ${output()}`)
}
