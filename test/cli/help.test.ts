import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineDocument } from '../../src/cli/index.ts'
import { AppError } from '../../src/kernel/errors.ts'
import {
  closedPorts,
  definitions,
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
const closed = openCommandLine(closedPorts)

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
    for (const word of [
      'list',
      'show',
      'create',
      'update',
      'delete',
      'disable',
      'enable',
      'add-secret',
      'remove-secret',
    ]) {
      expect(group.stdout).toMatch(new RegExp(`^ +${word} `, 'm'))
    }
    const { stdout } = await closed(['clients', 'create', '--help'])
    expect(stdout).toContain('--kind <web|spa|native|service>')
    expect(stdout).toContain('--redirect-uri <text>')
    expect(stdout).toContain('--first-party')
    expect(stdout).not.toContain('--no-first-party')
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'The name that people see when they sign in and consent. Required.',
    )
    expect(stdout).not.toContain('--state')
    expect(stdout).not.toContain('--no-redirect-uris')
  })

  it('offers for a change only what can be changed', async () => {
    const { stdout } = await closed(['clients', 'update', '--help'])
    expect(stdout).not.toContain('--kind')
    expect(stdout).toContain('--no-first-party')
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

describe('the server', () => {
  it('says what was and is to be migrated', async () => {
    expect(await json(['migrate'])).toEqual({ applied: ['1_initial'] })
    expect(await json(['migrate', '--status'])).toEqual({ applied: ['1_initial'], pending: ['2_next'] })
    expect((await latchkey(['migrate', '--status'])).stdout).toBe('applied  1_initial\npending  2_next\n')
  })

  it('is served until it ends', async () => {
    const served = openCommandLine({
      ...closedPorts,
      serve: () => Promise.reject(new AppError('config.wrong', 500, 'PORT is wrong. Correct it.')),
    })
    expect(await latchkey(['serve'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await served(['serve'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: PORT is wrong. Correct it.\n',
    })
  })
})

describe('the document', () => {
  it('has every verb, with its options and what they mean, and not what help alone has', () => {
    const document = commandLineDocument(definitions)
    for (const verb of ['clients add-secret', 'resources create', 'vault unlock']) {
      expect(document).toContain(`### ${verb}\n`)
    }
    expect(document).toContain('| `--kind <web\\|spa\\|native\\|service>` | What it is: ')
    expect(document).toContain('`latchkey clients remove-secret <client> [options]`')
    expect(document).not.toContain('passphrase')
  })
})
