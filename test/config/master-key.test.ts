import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { masterKey } from '../../src/config/master-key.ts'

describe('the master key', () => {
  let folder: string
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'latchkey-key-')), 'keys')
  })
  afterEach(() => rmSync(join(folder, '..'), { recursive: true }))
  const path = () => join(folder, 'master.key')

  it('is made once, for its owner alone, and read ever after', () => {
    const key = masterKey(undefined, folder)
    expect(key.length).toBe(32)
    expect(masterKey(undefined, folder).equals(key)).toBe(true)
    expect(statSync(path()).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(readdirSync(folder)).toEqual(['master.key'])
    expect(masterKey(undefined, join(folder, '..', 'others')).equals(key)).toBe(false)
  })

  it('is one, whichever of 10 processes makes it', async () => {
    const script = `import { masterKey } from './src/config/master-key.ts'; process.stdout.write(masterKey(undefined, process.env.KEY_FOLDER).toString('hex'))`
    const run = async (): Promise<string> =>
      (
        await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
          cwd: join(import.meta.dirname, '../..'),
          env: { ...process.env, KEY_FOLDER: folder },
        })
      ).stdout
    const keys = await Promise.all(Array.from({ length: 10 }, run))
    expect(new Set(keys).size).toBe(1)
    expect(keys[0]).toBe(masterKey(undefined, folder).toString('hex'))
    expect(readdirSync(folder)).toEqual(['master.key'])
    expect(statSync(path()).mode & 0o777).toBe(0o600)
  })

  it('is taken as given, in base64url or base64, and then no file is made', () => {
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index))
    for (const text of [
      bytes.toString('base64url'),
      bytes.toString('base64'),
      ` ${bytes.toString('base64url')}\n`,
    ]) {
      expect(masterKey(text, folder).equals(bytes)).toBe(true)
    }
    expect(existsSync(folder)).toBe(false)
  })

  it.each([
    ['nothing', ''],
    ['31 bytes', Buffer.alloc(31).toString('base64url')],
    ['33 bytes', Buffer.alloc(33).toString('base64url')],
    ['hexadecimal', Buffer.alloc(32).toString('hex')],
    ['a key with something in it', `${'A'.repeat(20)} !${'A'.repeat(23)}`],
    ['two keys', `${'A'.repeat(43)}\n${'A'.repeat(43)}`],
    ['a sentence', 'correct horse battery staple, and some more of it'],
  ])('is not %s, given or in the file, and is never shown', (_what, text) => {
    const refuse = (key: string | undefined) => {
      try {
        masterKey(key, folder)
      } catch (error) {
        return error as Error
      }
      return undefined
    }
    const given = refuse(text)
    expect(given).toMatchObject({
      code: 'config.bad_master_key',
      message: expect.stringContaining('LATCHKEY_MASTER_KEY must hold 32 bytes'),
    })
    mkdirSync(folder)
    writeFileSync(path(), text)
    const read = refuse(undefined)
    expect(read).toMatchObject({ code: 'config.bad_master_key', message: expect.stringContaining(path()) })
    if (text !== '') for (const error of [given, read]) expect(error?.message).not.toContain(text)
    expect(readFileSync(path(), 'utf8')).toBe(text)
  })

  it('is not made anew where the one there is cannot be read', () => {
    mkdirSync(path(), { recursive: true })
    expect(() => masterKey(undefined, folder)).toThrow(/master\.key/)
    expect(statSync(path()).isDirectory()).toBe(true)
    chmodSync(folder, 0o700)
  })
})
