import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../kernel/errors.ts'

const keyBytes = 32

/**
 * The key that everything sensitive is sealed under: handed in, or read from the key folder, or made there (mode 0600)
 * where there is none. Of several processes that start at once, one makes it and all read the same.
 */
export function masterKey(given: string | undefined, folder: string): Buffer {
  if (given !== undefined) return parse(given, 'LATCHKEY_MASTER_KEY')
  const path = join(folder, 'master.key')
  if (!existsSync(path)) make(folder, path)
  return parse(read(path), path)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AppError(
      'config.unreadable_master_key',
      500,
      `${path} cannot be read (${(cause as NodeJS.ErrnoException).code}). Make it a file that the server may read.`,
      { cause },
    )
  }
}

/** Written whole under another name and then linked, so that nobody ever reads half a key or replaces one. */
function make(folder: string, path: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = openSync(draft, 'wx', 0o600)
  writeSync(file, `${randomBytes(keyBytes).toString('base64url')}\n`)
  fsyncSync(file)
  closeSync(file)
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
}

function parse(text: string, source: string): Buffer {
  // Strictly, as the decoder passes over what is no base64: a damaged key would become another one.
  const key = /^[\w+/-]{43}=?$/.test(text.trim()) ? Buffer.from(text.trim(), 'base64url') : undefined
  if (key?.length === keyBytes) return key
  throw new AppError(
    'config.bad_master_key',
    500,
    `${source} must hold ${keyBytes} bytes in base64url; make one with: node -p "crypto.randomBytes(32).toString('base64url')"`,
  )
}
