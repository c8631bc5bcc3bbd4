import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { CommandLinePorts } from '../../src/cli/index.ts'
import { clientsDefinition } from '../../src/features/clients/index.ts'
import type { Command } from '../../src/features/feature.ts'
import { resourcesDefinition } from '../../src/features/resources/index.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { openCommandLine, type Ran, type RunOptions } from '../support/command-line.ts'
import { openParties, type Parties, partiesOn } from '../support/parties.ts'

let opened: Parties
let latchkey: (argv: readonly string[], options?: RunOptions) => Promise<Ran>
let folder: string
let stillOpen = 0

/** A feature's own verb, with a value that must not be an argument. */
const setPassphrase: Command = {
  words: ['vault', 'unlock'],
  documentation: 'Unlock the vault.',
  input: {
    passphrase: {
      schema: z.string().min(3, 'must have at least 3 characters'),
      documentation: 'The passphrase.',
      fromStandardInput: true,
    },
    rounds: { schema: z.int().default(1), documentation: 'How often.', optional: true },
  },
  run: async (input) => ({ text: `unlocked ${String(input.rounds)} times`, json: input }),
}
const vault = { name: 'vault', documentation: 'The vault.', commands: [setPassphrase] }

const definitions = [clientsDefinition, resourcesDefinition, vault]

const ports = (): Omit<CommandLinePorts, 'stdin' | 'stdout' | 'stderr'> => ({
  definitions,
  async openFeatures() {
    const storage = await opened.storage.openAnother()
    const { clients, resources } = partiesOn(storage)
    stillOpen += 1
    return {
      features: [clients, resources, vault],
      async close() {
        stillOpen -= 1
        await storage.close()
      },
    }
  },
  serve: async () => undefined,
  migrate: async () => ['1_initial'],
  migrationState: async () => ({ applied: ['1_initial'], pending: [{ name: '2_next' }] }),
})

beforeAll(async () => {
  opened = await openParties()
  folder = await mkdtemp(join(tmpdir(), 'latchkey-cli-'))
  latchkey = openCommandLine(ports())
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await opened[Symbol.asyncDispose]()
  expect(stillOpen).toBe(0)
})

const json = async (argv: readonly string[]) => {
  const ran = await latchkey([...argv, '--json'])
  expect(ran.stderr).toBe('')
  expect(ran.code).toBe(0)
  return JSON.parse(ran.stdout)
}

const web = ['clients', 'create', '--name', 'Shop', '--kind', 'web', '--redirect-uri', 'https://shop.example/cb']
const createWeb = async (): Promise<string> => (await json(web)).item.id

/** A database that must not be asked. */
const closed = openCommandLine({
  ...ports(),
  openFeatures: () => Promise.reject(new Error('the database was opened')),
})

describe('help', () => {
  it('needs no database and names every verb', async () => {
    const { code, stdout } = await closed(['--help'])
    expect(code).toBe(0)
    for (const word of ['serve', 'migrate', 'clients', 'resources', 'vault', 'Exit codes']) {
      expect(stdout).toContain(word)
    }
  })

  it('names the verbs of a group, and the options of a verb with their documentation', async () => {
    const group = await closed(['clients', '--help'])
    for (const word of ['list', 'show', 'create', 'update', 'delete', 'disable', 'enable', 'add-secret', 'remove-secret']) {
      expect(group.stdout).toMatch(new RegExp(`^ +${word} `, 'm'))
    }
    const { stdout } = await closed(['clients', 'create', '--help'])
    expect(stdout).toContain('--kind <web|spa|native|service>')
    expect(stdout).toContain('--redirect-uri <text>')
    expect(stdout).toContain('--first-party')
    expect(stdout).toContain('--no-first-party')
    expect(stdout.replace(/\s+/g, ' ')).toContain('The name that people see when they sign in and consent. Required.')
    expect(stdout).not.toContain('--state')
    expect(stdout).not.toContain('--no-redirect-uris')
  })

  it('offers for a change only what can be changed', async () => {
    const { stdout } = await closed(['clients', 'update', '--help'])
    expect(stdout).not.toContain('--kind')
    expect(stdout).toContain('--no-redirect-uris')
    expect(stdout).toContain('--no-logo-uri')
    expect(stdout).not.toContain('Required')
  })

  it('explains what is missing or misspelt, with exit code 2', async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [[], 'Usage: latchkey'],
      [['clients'], 'Usage: latchkey clients'],
      [['clents'], 'Did you mean clients?'],
      [['clients', 'creat'], 'Did you mean create?'],
      [['clients', 'create', '--redirct-uri', 'x'], 'Did you mean --redirect-uri?'],
      [['clients', 'show'], "missing required argument 'client'"],
      [['clients', 'show', 'a', 'b'], 'too many arguments'],
      [['clients', 'create', '--name'], 'argument missing'],
      [['clients', 'create'], '--name is required.'],
      [['clients', 'update', 'x'], 'There is nothing to change.'],
      [['clients', 'list', '--limit', '0'], '--limit must be'],
    ]
    for (const [argv, text] of cases) {
      const ran = await latchkey(argv)
      expect(`${argv.join(' ')}: ${ran.stderr}`).toContain(text)
      expect(ran).toMatchObject({ code: 2, stdout: '' })
    }
  })
})

describe('an administrable thing', () => {
  it('is made, shown, listed, changed and deleted', async () => {
    const { item, reveals } = await json([...web, '--first-party', '--scope', 'openid', '--scope', 'read:orders'])
    expect(item).toMatchObject({ firstParty: true, scopes: ['openid', 'read:orders'], state: 'active' })
    expect(reveals.secret).toHaveLength(43)
    expect(await json(['clients', 'show', item.id])).toEqual(item)
    const changed = await json(['clients', 'update', item.id, '--no-first-party', '--logo-uri', 'https://shop.example/l.png'])
    expect(changed.item).toMatchObject({ firstParty: false, logoUri: 'https://shop.example/l.png', name: 'Shop' })
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
    expect(stderr).toBe(`error: There is no client ${item.id}. List those there are with: latchkey clients list\n`)
  })

  it('is shown to a person in columns and lines, its secret once and set apart', async () => {
    const made = await latchkey(web)
    expect(made.stdout).toMatch(/^name +Shop$/m)
    expect(made.stdout).toMatch(/\nShown this once\. Store it now; it cannot be shown again\.\n\n {2}secret: [\w-]{43}\n$/)
    const secret = /secret: ([\w-]{43})/.exec(made.stdout)?.[1] ?? 'missing'
    const id = /^id +(\S+)$/m.exec(made.stdout)?.[1] ?? 'missing'
    const listed = await latchkey(['clients', 'list', '--search', 'shop'])
    expect(listed.stdout).toMatch(/^ID +NAME +KIND +STATE +FIRST-PARTY\n/)
    expect(listed.stdout).toMatch(new RegExp(`^${id} +Shop +web +active +no$`, 'm'))
    for (const argv of [['list'], ['list', '--json'], ['show', id], ['show', id, '--json'], ['update', id, '--name', 'x']]) {
      const { stdout, stderr } = await latchkey(['clients', ...argv])
      expect(stdout + stderr).not.toContain(secret)
      expect(stdout + stderr).not.toContain('hash')
    }
  })

  it('takes pairs as key=text or as JSON, and JSON from a file', async () => {
    const argv = ['resources', 'create', '--indicator', 'https://orders.example', '--name', 'Orders', '--access-token-ttl-seconds', '120']
    const scopes = ['--scope', 'read:orders=Read your orders = all', '--scope', 'ping', '--scope', '{"name":"write","description":"Write"}']
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
    const { publicKey } = await import('node:crypto').then(({ generateKeyPairSync }) => generateKeyPairSync('ed25519'))
    const jwks = { keys: [publicKey.export({ format: 'jwk' })] }
    await writeFile(join(folder, 'jwks.json'), JSON.stringify(jwks))
    const service = ['clients', 'create', '--kind', 'service', '--name', 'Billing']
    expect((await json([...service, '--jwks', `@${join(folder, 'jwks.json')}`])).item.jwks).toEqual(jwks)
    expect((await json([...service, '--jwks', JSON.stringify(jwks)])).item.authentication).toBe('private_key_jwt')
    expect((await latchkey([...service, '--jwks', '@/nowhere.json'])).stderr).toContain('cannot be read')
    expect((await latchkey([...service, '--jwks', '{'])).stderr).toContain('--jwks must be JSON')
  })

  it('gives a page and how to get the next', async () => {
    for (const name of ['Page one', 'Page two', 'Page three']) {
      await json(['clients', 'create', '--kind', 'service', '--name', name])
    }
    const first = await json(['clients', 'list', '--search', 'Page ', '--limit', '2'])
    const second = await json(['clients', 'list', '--search', 'Page ', '--after', first.next])
    expect([...first.items, ...second.items].map(({ name }) => name).toSorted()).toEqual(['Page one', 'Page three', 'Page two'])
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
    const { item, reveals } = await json(['clients', 'add-secret', id, '--label', 'new host', '--expires-in-days', '30'])
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

describe('what is refused', () => {
  it.each([
    [['--redirect-uri', 'https://*.shop.example/'], '--redirect-uri, entry 2 must be exact'],
    [['--redirect-uri', 'javascript:alert(1)'], '--redirect-uri, entry 2'],
    [['--logo-uri', 'http://shop.example/logo.png'], '--logo-uri must begin with https://'],
    [['--name', 'Shop\r\nX: y'], '--name must be one line'],
    [['--kind', 'admin'], '--kind must be one of web, spa, native, service.'],
    [['--scope', 'a b'], '--scope, entry 1 must be a scope'],
  ])('says which option of %j is wrong, with exit code 2', async (more, text) => {
    const ran = await closed([...web, ...more])
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain(`error: ${text}`)
  })

  it('says every fault at once', async () => {
    const { stderr } = await closed(['resources', 'create', '--access-token-ttl-seconds', 'long', '--token-format', 'xml'])
    expect(stderr.split('\n').filter((line) => line.startsWith('error: --'))).toHaveLength(4)
  })

  it('answers a rule that refuses with exit code 1 and nothing on standard output', async () => {
    const ran = await latchkey(['clients', 'create', '--name', 'Shop', '--kind', 'web', '--json'])
    expect(ran).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: A client that people sign in to needs a redirect URI. Name at least one.\n',
    })
  })

  it('translates what fails below, and reports what nobody foresaw', async () => {
    const failing = { ...ports(), openFeatures: () => Promise.reject(new Error('connect ECONNREFUSED')) }
    const explained = openCommandLine({
      ...failing,
      explain: () => new AppError('storage.unavailable', 503, 'The database does not answer. Try again.'),
    })
    expect(await explained(['clients', 'list'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: The database does not answer. Try again.\n',
    })
    const { code, stderr } = await openCommandLine(failing)(['clients', 'list'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: Something failed that should not\. .*\nError: connect ECONNREFUSED/)
  })

  it('shows control characters of stored text as what they are not', async () => {
    const id = await createWeb()
    await opened.storage.db.client.updateMany({ where: { id }, data: { name: 'Shop\u001b[2J\r\n\u009b' } })
    expect((await latchkey(['clients', 'show', id])).stdout).toContain('Shop\ufffd[2J\ufffd\ufffd\ufffd\n')
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

describe('values that must not be arguments', () => {
  const unlock = ['vault', 'unlock', '--json']

  it('are read from standard input, whole, without the last line end', async () => {
    const { code, stdout } = await latchkey(unlock, { stdin: ' two words \n' })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ passphrase: ' two words ', rounds: 1 })
  })

  it('are no option', async () => {
    const { code, stderr } = await latchkey([...unlock, '--passphrase', 'secret'], { stdin: 'x' })
    expect(code).toBe(2)
    expect(stderr).toContain("unknown option '--passphrase'")
  })

  it('are asked of a person twice, and never shown', async () => {
    const typed = [
      ['passphrase: ', 'geheimx\u007f\r'],
      ['passphrase again: ', 'geheim\r'],
    ] as const
    const { code, stdout, stderr } = await latchkey(unlock, { typed })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).passphrase).toBe('geheim')
    expect(stderr).not.toContain('g')
    expect(stderr).toContain('The passphrase.')
  })

  it('are refused when the two entries differ, and when the person stops', async () => {
    const differ = [
      ['passphrase: ', 'geheim\r'],
      ['passphrase again: ', 'geheimer\r'],
    ] as const
    expect(await latchkey(unlock, { typed: differ })).toMatchObject({ code: 2, stdout: '' })
    expect((await latchkey(unlock, { typed: [['passphrase: ', 'geh\u0003']] })).code).toBe(130)
  })

  it.each([
    ['nothing', ''],
    ['too much', 'x'.repeat(70_000)],
    ['what is not UTF-8', Buffer.from([0xff, 0xfe, 0x41])],
  ])('are refused when standard input holds %s', async (_, stdin) => {
    const { code, stdout, stderr } = await latchkey(unlock, { stdin })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: /)
  })
})

describe('the server', () => {
  it('says what was and is to be migrated', async () => {
    expect(await json(['migrate'])).toEqual({ applied: ['1_initial'] })
    expect(await json(['migrate', '--status'])).toEqual({ applied: ['1_initial'], pending: ['2_next'] })
    expect((await latchkey(['migrate', '--status'])).stdout).toBe('applied  1_initial\npending  2_next\n')
  })

  it('is served until it ends', async () => {
    const served = openCommandLine({ ...ports(), serve: () => Promise.reject(new AppError('config.wrong', 500, 'PORT is wrong. Correct it.')) })
    expect(await latchkey(['serve'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await served(['serve'])).toEqual({ code: 1, stdout: '', stderr: 'error: PORT is wrong. Correct it.\n' })
  })
})
