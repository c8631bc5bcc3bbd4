import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestCommandLine, type RunOptions, type TestCommandLine } from '../support/command-line.ts'

let cli: TestCommandLine
let folder: string

beforeAll(async () => {
  cli = await openTestCommandLine()
  folder = await mkdtemp(join(tmpdir(), 'latchkey-cli-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await cli[Symbol.asyncDispose]()
})

const latchkey = (argv: readonly string[], options?: RunOptions) => cli.latchkey(argv, options)
const json = (argv: readonly string[]) => cli.json(argv)
const web = [
  'clients',
  'create',
  '--name',
  'Shop',
  '--kind',
  'web',
  '--redirect-uri',
  'https://shop.example/cb',
]
const createWeb = async (): Promise<string> => (await json(web)).item.id

describe('an administrable thing', () => {
  it('is made, shown, listed, changed and deleted', async () => {
    const { item, reveals } = await json([
      ...web,
      '--first-party',
      '--scope',
      'openid',
      '--scope',
      'read:orders',
    ])
    expect(item).toMatchObject({ firstParty: true, scopes: ['openid', 'read:orders'], state: 'active' })
    expect(reveals.secret).toHaveLength(43)
    expect(await json(['clients', 'show', item.id])).toEqual(item)
    const changed = await json([
      'clients',
      'update',
      item.id,
      '--no-first-party',
      '--logo-uri',
      'https://shop.example/l.png',
    ])
    expect(changed.item).toMatchObject({
      firstParty: false,
      logoUri: 'https://shop.example/l.png',
      name: 'Shop',
    })
    expect((await json(['clients', 'update', item.id, '--no-logo-uri', '--no-scopes'])).item).toMatchObject({
      logoUri: null,
      scopes: [],
      redirectUris: ['https://shop.example/cb'],
    })
    expect((await json(['clients', 'disable', item.id])).item.state).toBe('disabled')
    expect((await json(['clients', 'enable', item.id])).item.state).toBe('active')
    expect(await json(['clients', 'delete', item.id, '--yes'])).toEqual({ deleted: item.id })
    const { code, stdout, stderr } = await latchkey(['clients', 'show', item.id])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `error: There is no client ${item.id}. List those there are with: latchkey clients list\n`,
    )
  })

  it('is shown to a person in columns and lines, its secret once and set apart', async () => {
    const made = await latchkey(web)
    expect(made.stdout).toMatch(/^name +Shop$/m)
    expect(made.stdout).toMatch(
      /\nShown this once\. Store it now; it cannot be shown again\.\n\n {2}secret: [\w-]{43}\n$/,
    )
    const secret = /secret: ([\w-]{43})/.exec(made.stdout)?.[1] ?? 'missing'
    const id = /^id +(\S+)$/m.exec(made.stdout)?.[1] ?? 'missing'
    const listed = await latchkey(['clients', 'list', '--search', 'shop'])
    expect(listed.stdout).toMatch(/^ID +NAME +KIND +STATE +ORIGIN +FIRST-PARTY\n/)
    expect(listed.stdout).toMatch(new RegExp(`^${id} +Shop +web +active +administrator +no$`, 'm'))
    for (const argv of [
      ['list'],
      ['list', '--json'],
      ['show', id],
      ['show', id, '--json'],
      ['update', id, '--name', 'x'],
    ]) {
      const { stdout, stderr } = await latchkey(['clients', ...argv])
      expect(stdout + stderr).not.toContain(secret)
      expect(stdout + stderr).not.toContain('hash')
    }
  })

  it('takes pairs as key=text or as JSON, and JSON from a file', async () => {
    const argv = [
      'resources',
      'create',
      '--indicator',
      'https://orders.example',
      '--name',
      'Orders',
      '--access-token-ttl-seconds',
      '120',
    ]
    const scopes = [
      '--scope',
      'read:orders=Read your orders = all',
      '--scope',
      'ping',
      '--scope',
      '{"name":"write","description":"Write"}',
    ]
    const { item } = await json([...argv, ...scopes])
    expect(item).toMatchObject({
      accessTokenTtlSeconds: 120,
      scopes: [
        { name: 'read:orders', description: 'Read your orders = all' },
        { name: 'ping', description: '' },
        { name: 'write', description: 'Write' },
      ],
    })
    expect(await json(['resources', 'show', 'https://orders.example'])).toEqual(item)
    const { publicKey } = generateKeyPairSync('ed25519')
    const jwks = { keys: [publicKey.export({ format: 'jwk' })] }
    await writeFile(join(folder, 'jwks.json'), JSON.stringify(jwks))
    const service = ['clients', 'create', '--kind', 'service', '--name', 'Billing']
    expect((await json([...service, '--jwks', `@${join(folder, 'jwks.json')}`])).item.jwks).toEqual(jwks)
    expect((await json([...service, '--jwks', JSON.stringify(jwks)])).item.authentication).toBe(
      'private_key_jwt',
    )
    expect((await latchkey([...service, '--jwks', '@/nowhere.json'])).stderr).toContain('cannot be read')
    expect((await latchkey([...service, '--jwks', '{'])).stderr).toContain('--jwks must be JSON')
  })

  it('gives a page and how to get the next', async () => {
    for (const name of ['Page one', 'Page two', 'Page three']) {
      await json(['clients', 'create', '--kind', 'service', '--name', name])
    }
    const first = await json(['clients', 'list', '--search', 'Page ', '--limit', '2'])
    const second = await json(['clients', 'list', '--search', 'Page ', '--after', first.next])
    expect([...first.items, ...second.items].map(({ name }) => name).toSorted()).toEqual([
      'Page one',
      'Page three',
      'Page two',
    ])
    expect(second.next).toBeUndefined()
    const { stdout, stderr } = await latchkey(['clients', 'list', '--search', 'Page ', '--limit', '2'])
    expect(stderr).toBe(`There are more: add --after ${first.next}\n`)
    expect(stdout.trimEnd().split('\n')).toHaveLength(3)
    expect(await latchkey(['clients', 'list', '--search', 'nobody'])).toEqual({
      code: 0,
      stdout: '',
      stderr: 'There are no clients like that.\n',
    })
  })

  it('adds a secret that expires', async () => {
    const id = await createWeb()
    const { item, reveals } = await json([
      'clients',
      'add-secret',
      id,
      '--label',
      'new host',
      '--expires-in-days',
      '30',
    ])
    expect(item.secrets).toHaveLength(2)
    const added = item.secrets.find(({ label }: { label: string }) => label === 'new host')
    expect(Date.parse(added.expiresAt) - Date.parse(added.createdAt)).toBe(30 * 86_400_000)
    expect(reveals.secret).toHaveLength(43)
    await json(['clients', 'remove-secret', id, '--secret-id', added.id])
    expect((await latchkey(['clients', 'add-secret', id, '--expires-in-days', 'soon'])).stderr).toContain(
      '--expires-in-days must be a whole number of days.',
    )
  })
})

describe('deleting', () => {
  it('needs --yes where nobody can be asked', async () => {
    const id = await createWeb()
    expect(await latchkey(['clients', 'delete', id])).toMatchObject({ code: 2, stdout: '' })
    expect((await json(['clients', 'show', id])).id).toBe(id)
  })

  it('asks a person, and does what he says', async () => {
    const id = await createWeb()
    const declined = await latchkey(['clients', 'delete', id], { typed: [['[y/N] ', '\r']] })
    expect(declined).toMatchObject({ code: 1, stdout: '' })
    const interrupted = await latchkey(['clients', 'delete', id], { typed: [['[y/N] ', '\u0003']] })
    expect(interrupted.code).toBe(130)
    expect((await json(['clients', 'show', id])).id).toBe(id)
    const agreed = await latchkey(['clients', 'delete', id], { typed: [['[y/N] ', 'y\r']] })
    expect(agreed).toMatchObject({ code: 0, stdout: `Deleted the client ${id}.\n` })
  })
})
