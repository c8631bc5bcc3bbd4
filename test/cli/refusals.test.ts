import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../src/kernel/errors.ts'
import {
  closedPorts,
  openCommandLine,
  openTestCommandLine,
  type RunOptions,
  type TestCommandLine,
} from '../support/command-line.ts'

let cli: TestCommandLine

beforeAll(async () => {
  cli = await openTestCommandLine()
})
afterAll(() => cli[Symbol.asyncDispose]())

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

const closed = openCommandLine(closedPorts)

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
    const { stderr } = await closed([
      'resources',
      'create',
      '--access-token-ttl-seconds',
      'long',
      '--token-format',
      'xml',
    ])
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
    const failing = { ...closedPorts, openFeatures: () => Promise.reject(new Error('connect ECONNREFUSED')) }
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
    await cli.storage.db.client.updateMany({ where: { id }, data: { name: 'Shop\u001b[2J\r\n\u009b' } })
    expect((await latchkey(['clients', 'show', id])).stdout).toContain('Shop\ufffd[2J\ufffd\ufffd\ufffd\n')
  })
})
