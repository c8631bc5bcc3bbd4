/**
 * What the suite needs of the machine it runs on, and keeps there: the unprivileged account PostgreSQL runs
 * under when the suite runs as root, a folder that account can reach, and unpacked binaries, kept between
 * runs in the temporary folder, keyed by their version.
 *
 * A cache folder is filled beside its final place and renamed into it, so that parallel workers never see half
 * of one. It records how many files it holds: a temporary folder that the system has swept in part is filled
 * again.
 */
import { randomUUID } from 'node:crypto'
import { accessSync, statfsSync, statSync } from 'node:fs'
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Account {
  readonly uid: number
  readonly gid: number
}

const runsAsRoot = process.getuid?.() === 0

/** The account to drop to: `nobody` when the suite runs as root, none when it does not. */
export const unprivilegedAccount = async (): Promise<Account | undefined> => {
  if (!runsAsRoot) return undefined
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'nobody') ?? users.find(([, , uid]) => Number(uid) > 0)
  if (user === undefined)
    throw new Error('PostgreSQL refuses to run as root, and /etc/passwd names no other account.')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

const everyoneMayEnter = (folder: string): boolean => {
  if ((statSync(folder).mode & 0o001) === 0) return false
  return dirname(folder) === folder || everyoneMayEnter(dirname(folder))
}

const isUsable = (folder: string): boolean => {
  try {
    accessSync(folder)
    return everyoneMayEnter(folder)
  } catch {
    return false
  }
}

/** The temporary folder; as root, one that other accounts can enter too. */
export const temporaryFolder = (): string =>
  runsAsRoot ? ([tmpdir(), '/tmp', '/var/tmp'].find(isUsable) ?? tmpdir()) : tmpdir()

const memoryFolder = '/dev/shm'
const wantedBytes = 4 * 1024 ** 3

/** Where databases live for the time of a test: in memory where the machine has plenty, as a new one is hundreds of files. */
export const scratchFolder = (): string => {
  try {
    const { bavail, bsize } = statfsSync(memoryFolder)
    if (bavail * bsize >= wantedBytes && freemem() >= wantedBytes && isUsable(memoryFolder))
      return memoryFolder
  } catch {
    // It is not there, as on macOS and Windows.
  }
  return temporaryFolder()
}

const marker = '.complete'

const filesIn = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
}

const isComplete = async (folder: string): Promise<boolean> => {
  try {
    const expected = Number(await readFile(join(folder, marker), 'utf8'))
    return (await filesIn(folder)).length === expected + 1
  } catch {
    return false
  }
}

const makeReadable = async (folder: string): Promise<void> => {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    const { mode } = await stat(path)
    await chmod(path, (mode & 0o100) === 0 ? 0o644 : 0o755)
  }
  await chmod(folder, 0o755)
}

const cacheRoot = async (): Promise<string> => {
  const root = join(temporaryFolder(), `latchkey-test-cache-${process.getuid?.() ?? 'user'}`)
  await mkdir(root, { mode: 0o755, recursive: true })
  const found = await lstat(root)
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid())) {
    throw new Error(`${root} belongs to somebody else; remove it or set TMPDIR to another folder.`)
  }
  return root
}

/**
 * The folder cached under `name`, filled by `fill` when this machine does not have it yet. `name` must change
 * whenever the contents would.
 */
export const openCacheFolder = async (
  name: string,
  fill: (staging: string) => Promise<void>,
): Promise<string> => {
  const root = await cacheRoot()
  const folder = join(root, name)
  if (await isComplete(folder)) return folder
  const staging = join(root, `${name}.${randomUUID()}`)
  await mkdir(staging)
  try {
    await fill(staging)
    await makeReadable(staging)
    await writeFile(join(staging, marker), String((await filesIn(staging)).length))
    await moveInto(staging, folder)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
  return folder
}

/** Another worker may have been faster; its folder is as good as ours. One that lost files makes way. */
const moveInto = async (staging: string, folder: string): Promise<void> => {
  const moved = await rename(staging, folder).then(
    () => true,
    () => false,
  )
  if (moved || (await isComplete(folder))) return
  const discarded = `${staging}.old`
  await rename(folder, discarded)
  await rename(staging, folder)
  await rm(discarded, { recursive: true, force: true })
}
