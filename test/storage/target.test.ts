import { chmod, chown, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openStorage } from '../../src/storage/open.ts'
import { parseTarget } from '../../src/storage/target.ts'
import { createDatabase, databaseKind } from '../support/database.ts'
import { temporaryFolder, unprivilegedAccount } from '../support/machine.ts'
import { openVersion, type Version } from '../support/versions.ts'

const open = (databaseUrl: string | undefined, dataFolder = '') =>
  openStorage({ databaseUrl, dataFolder, synchronous: 'FULL', poolSize: 2, timeoutMilliseconds: 5_000 })

it.each([
  [undefined, { dialect: 'sqlite', file: '/data/latchkey.db' }],
  ['file:/srv/here.db', { dialect: 'sqlite', file: '/srv/here.db' }],
  ['file:///srv/here%20too.db', { dialect: 'sqlite', file: '/srv/here too.db' }],
  ['file:./near.db', { dialect: 'sqlite', file: resolve('near.db') }],
  ['file:near.db', { dialect: 'sqlite', file: resolve('near.db') }],
  [
    'postgresql://a:b@db/x?sslmode=require',
    { dialect: 'postgresql', url: 'postgresql://a:b@db/x?sslmode=require' },
  ],
  ['postgres://db/x', { dialect: 'postgresql', url: 'postgres://db/x' }],
])('reads DATABASE_URL %s', (url, target) => {
  expect(parseTarget(url, '/data')).toEqual(target)
})

it.each([
  'mysql://db/x',
  'libsql://db',
  '/srv/here.db',
  'here.db',
  'postgresql:db',
  'POSTGRES',
  'sqlite:here.db',
  '',
])('refuses DATABASE_URL "%s" and says what it may be, without repeating it', async (url) => {
  const error = await open(url).catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'storage.unknown_database' })
  expect(String(error)).toMatch(/DATABASE_URL.*postgresql:\/\/.*file:/)
  if (url !== '') expect(String(error)).not.toContain(`"${url}"`)
})

it('is used with what is in it', async () => {
  const database = await createDatabase()
  const storage = await open(database.url)
  await storage.db.revision.create({ data: { topic: 'kept', value: 1 } })
  await storage.close()
  const again = await open(database.url)
  expect(await again.db.revision.findMany()).toEqual([{ topic: 'kept', value: 1 }])
  expect(again.dialect).toBe(databaseKind())
  await again.close()
  await database.drop()
})

if (databaseKind() === 'sqlite') {
  let folder: string
  let version: Version
  beforeAll(async () => {
    folder = await mkdtemp(join(temporaryFolder(), `latchkey-test-${process.pid}-`))
    await chmod(folder, 0o755)
    version = await openVersion()
  })
  afterAll(async () => {
    await version[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('makes the data folder, for its owner only', async () => {
    const storage = await open(undefined, join(folder, 'made', 'on', 'the', 'spot'))
    await storage.ping()
    await storage.close()
    expect((await stat(join(folder, 'made', 'on', 'the', 'spot'))).mode & 0o777).toBe(0o700)
  })

  it('says so when the data folder is a file', async () => {
    await writeFile(join(folder, 'file'), '')
    const error = await open(undefined, join(folder, 'file')).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'storage.not_writable' })
    expect(String(error)).toMatch(/file\/latchkey\.db cannot be written .*LATCHKEY_DATA_FOLDER/)
  })

  it('says so when this account may not write the data folder, or the file in it', async () => {
    const account = await unprivilegedAccount()
    const closed = join(folder, 'closed')
    await mkdir(closed)
    const readOnly = join(folder, 'read-only')
    await mkdir(readOnly)
    await writeFile(join(readOnly, 'latchkey.db'), '')
    if (account !== undefined) await chown(readOnly, account.uid, account.gid)
    await chmod(join(readOnly, 'latchkey.db'), 0o444)
    await chmod(closed, 0o555)
    for (const dataFolder of [closed, join(closed, 'below'), readOnly]) {
      const { error } = await version.run({ dataFolder, command: 'open', account })
      expect(error?.code).toBe('storage.not_writable')
      expect(error?.message).toMatch(/cannot be written \((EACCES|EPERM)\)/)
    }
    await chmod(closed, 0o755)
  })

  it('refuses a file that is no database', async () => {
    const file = join(folder, 'letter.db')
    await writeFile(file, 'Dear reader, this is a letter and no database at all. '.repeat(50))
    await expect(open(`file:${file}`)).rejects.toThrow(/not a database/)
  })
} else {
  it.each([
    ['a wrong password', (url: URL) => Object.assign(url, { password: 'wrong' }), /password|authentication/i],
    [
      'a database that is not there',
      (url: URL) => Object.assign(url, { pathname: '/missing' }),
      /does not exist/,
    ],
  ])('says so when the server refuses %s', async (_name, spoil, message) => {
    const database = await createDatabase()
    const { password } = new URL(database.url)
    const error = await open(spoil(new URL(database.url)).href).catch((cause: unknown) => cause)
    expect(String(error)).toMatch(message)
    expect(String(error)).not.toContain(password)
    await database.drop()
  })
}
