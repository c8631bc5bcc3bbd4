import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Environment, readConfig } from '../../src/config/config.ts'
import { sections } from '../../src/config/sections.ts'
import { type Setting, variableOf } from '../../src/kernel/settings.ts'

const settings = Object.entries(sections).flatMap(([section, each]) =>
  Object.entries(each as Readonly<Record<string, Setting<unknown>>>).map(([key, setting]) => ({
    section,
    key,
    setting,
    variable: variableOf(section, key, setting),
  })),
)

/** What readConfig refuses, line by line. */
function problemsOf(environment: Environment): readonly string[] {
  try {
    readConfig(environment)
  } catch (error) {
    expect(error).toMatchObject({ code: 'config.invalid', status: 500 })
    return (error as Error).message
      .split('\n')
      .filter((line) => line.startsWith('  - '))
      .map((line) => line.slice(4))
  }
  return []
}

const valueIn = (
  config: object,
  { section, key }: { readonly section: string; readonly key: string },
): unknown => (config as Record<string, Record<string, unknown>>)[section]?.[key]

/** A good value other than the default, what becomes of it, and bad ones. */
function examples({ type, fallback }: Setting<unknown>): {
  readonly good: string
  readonly parsed: unknown
  readonly bad: readonly string[]
} {
  if (type === 'seconds')
    return {
      good: '86400',
      parsed: 86_400,
      bad: ['-1', '1.5', 'x', '1h', '1e3', ' 5', '999999999999999', '0x10'],
    }
  if (type === 'true or false') return { good: 'true', parsed: true, bad: ['yes', '1', 'TRUE', 'on'] }
  if (type === 'URL')
    return { good: 'https://example.test', parsed: 'https://example.test', bad: ['example.test', '//x', 'x'] }
  if (type === 'mail server URL') {
    const good = 'smtp://latchkey:s3cr%2Fet@mail.example.test:587'
    return { good, parsed: good, bad: ['https://example.test', 'mail.example.test', 'smtp://', 'x'] }
  }
  if (type === 'e-mail address') {
    const good = 'no-reply@example.test'
    return { good, parsed: good, bad: ['example.test', 'a@b.test, c@d.test', 'Ada <ada@example.test>'] }
  }
  if (type === 'comma-separated list')
    return { good: ' 10.0.0.1 ,, 10.0.0.2,', parsed: ['10.0.0.1', '10.0.0.2'], bad: [] }
  if (type === 'list of fields')
    return {
      good: ' nickname register ',
      parsed: [{ name: 'nickname', register: true, required: false, fixed: false }],
      bad: ['sub', 'shoe_size', 'nickname nickname', 'nickname, nickname', 'Nickname', '"'],
    }
  if (type === 'JSON object')
    return {
      good: '{"approval": true}',
      parsed: { ...(fallback as object), approval: true },
      bad: ['x', '[]', '{"approval": 1}', '{"unknown": true}', '{'],
    }
  if (type === 'text') return { good: 'a text', parsed: 'a text', bad: [] }
  if (type === 'colour')
    return { good: '#12AB56', parsed: '#12AB56', bad: ['red', '#12345', '123456', '#12345g', '#123'] }
  const range = /^whole number from (\d+) to (\d+)$/.exec(type)
  if (range !== null) {
    const [minimum, maximum] = [Number(range[1]), Number(range[2])]
    const good = fallback === maximum ? minimum : maximum
    return {
      good: String(good),
      parsed: good,
      bad: [String(maximum + 1), '-1', 'x', '1.5', '٣', ...(minimum > 0 ? [String(minimum - 1)] : [])],
    }
  }
  const values = type.split(' | ')
  const good = values.find((value) => value !== fallback) ?? ''
  return {
    good,
    parsed: good,
    bad: [`${good}x`, good === good.toUpperCase() ? good.toLowerCase() : good.toUpperCase()],
  }
}

describe('configuration', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-config-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  it('holds every default where nothing is set, and where it is set to nothing', () => {
    const empty = Object.fromEntries(settings.map(({ variable }) => [variable, '']))
    for (const config of [readConfig({}), readConfig({ PATH: '/bin', HOME: '/root' }), readConfig(empty)]) {
      for (const each of settings)
        expect([each.variable, valueIn(config, each)]).toEqual([each.variable, each.setting.fallback])
      expect(config).toMatchObject({ issuer: 'http://localhost:3000', development: true })
    }
  })

  describe.each(settings.map((each) => [each.variable, each] as const))('%s', (variable, each) => {
    const { good, parsed, bad } = examples(each.setting)

    it('is read', () => {
      expect(valueIn(readConfig({ [variable]: good }), each)).toEqual(parsed)
      expect(each.setting.documentation).toMatch(/^\S.{10,}\.$/)
    })

    it.each(bad)('stops the start as %s, and is named', (value) => {
      const problems = problemsOf({ [variable]: value })
      expect(problems.length).toBe(1)
      expect(problems[0]).toContain(variable)
      if (!each.setting.secret) expect(problems[0]).toContain(`"${value}"`)
    })

    it(each.setting.secret ? 'can be a file' : 'cannot be a file', () => {
      const environment = { [`${variable}_FILE`]: file(variable, `${good}\n`) }
      if (each.setting.secret) expect(valueIn(readConfig(environment), each)).toEqual(parsed)
      else
        expect(problemsOf(environment)).toEqual(
          [expect.stringContaining(`${variable}_FILE is not a setting`)].slice(
            0,
            variable.startsWith('LATCHKEY_') ? 1 : 0,
          ),
        )
    })
  })

  it('has no two settings of one name', () => {
    expect(new Set(settings.map(({ variable }) => variable)).size).toBe(settings.length)
  })

  it('names everything that is wrong at once', () => {
    const problems = problemsOf({
      PORT: '70000',
      LATCHKEY_LOG_LEVEL: 'loud',
      LATCHKEY_ISSUER: 'http://id.example.com',
      LATCHKEY_SETUP_LINK_SECONDS: 'soon',
      LATCHKEY_LOG_LEVLE: 'info',
      LATCHKEY_MASTER_KEY_FILE: join(folder, 'missing'),
    })
    expect(problems.length).toBe(6)
    for (const name of [
      'PORT',
      'LATCHKEY_LOG_LEVEL ',
      'LATCHKEY_ISSUER',
      'LATCHKEY_SETUP_LINK_SECONDS',
      'LATCHKEY_LOG_LEVLE',
      'LATCHKEY_MASTER_KEY_FILE',
    ]) {
      expect(problems.some((problem) => problem.startsWith(name.trim()))).toBe(true)
    }
  })

  it('names what an unknown variable could have meant, where that is near', () => {
    expect(problemsOf({ LATCHKEY_ISUER: 'https://id.example.com' })).toEqual([
      'LATCHKEY_ISUER is not a setting; did you mean LATCHKEY_ISSUER?',
    ])
    expect(problemsOf({ LATCHKEY_MASTERKEY_FILE: 'x' })).toEqual([
      'LATCHKEY_MASTERKEY_FILE is not a setting; did you mean LATCHKEY_MASTER_KEY_FILE?',
    ])
    expect(problemsOf({ LATCHKEY_SOMETHING_ELSE_ENTIRELY: 'x' })).toEqual([
      'LATCHKEY_SOMETHING_ELSE_ENTIRELY is not a setting',
    ])
    expect(problemsOf({ LATCHKEY_: 'x' }).length).toBe(1)
    expect(problemsOf({ latchkey_issuer: 'x', LATCHKEY_TEST_POSTGRESQL_URL: 'x', LATCHKEYS: 'x' })).toEqual(
      [],
    )
  })

  describe('a secret', () => {
    it('is never shown, whatever is wrong with it', () => {
      const secret = settings.find(({ setting }) => setting.secret)
      expect(secret).toBeDefined()
      const problems = problemsOf({
        LATCHKEY_MASTER_KEY: 'the-secret-itself',
        LATCHKEY_MASTER_KEY_FILE: file('both', 'the-secret-of-the-file'),
      })
      expect(problems).toEqual(['LATCHKEY_MASTER_KEY and LATCHKEY_MASTER_KEY_FILE are both set; keep one'])
    })

    it('may be left empty beside its file, and its file beside it', () => {
      expect(
        readConfig({ DATABASE_URL: '', DATABASE_URL_FILE: file('url', ' file:/x.db \n') }).server.databaseUrl,
      ).toBe('file:/x.db')
      expect(readConfig({ DATABASE_URL: 'file:/y.db', DATABASE_URL_FILE: '' }).server.databaseUrl).toBe(
        'file:/y.db',
      )
    })

    it('whose file cannot be read stops the start', () => {
      expect(problemsOf({ DATABASE_URL_FILE: join(folder, 'none') })).toEqual([
        expect.stringMatching(/^DATABASE_URL_FILE: .*ENOENT/),
      ])
      expect(problemsOf({ DATABASE_URL_FILE: folder })).toEqual([
        expect.stringMatching(/^DATABASE_URL_FILE: .*EISDIR/),
      ])
    })

    it('whose file is empty stops the start, rather than falling back', () => {
      expect(problemsOf({ DATABASE_URL_FILE: file('empty', '\n') })).toEqual([
        expect.stringContaining('DATABASE_URL_FILE'),
      ])
    })
  })

  describe('an issuer', () => {
    it.each([
      ['https://id.example.com', 'https://id.example.com'],
      ['https://id.example.com/', 'https://id.example.com'],
      ['https://ID.Example.com', 'https://id.example.com'],
      ['https://id.example.com:443', 'https://id.example.com'],
      ['https://id.example.com:8443', 'https://id.example.com:8443'],
      ['http://localhost:3000', 'http://localhost:3000'],
      ['https://example.com/id', 'https://example.com/id'],
      ['https://example.com/tenants/id-1', 'https://example.com/tenants/id-1'],
      ['http://127.0.0.1:4000', 'http://127.0.0.1:4000'],
      ['http://[::1]:4000', 'http://[::1]:4000'],
    ])('of %s is %s, and not for development', (given, issuer) => {
      expect(readConfig({ LATCHKEY_ISSUER: given })).toMatchObject({ issuer, development: false })
    })

    it.each([
      'http://id.example.com',
      'http://localhost.evil.test',
      'http://192.168.0.1',
      'ftp://id.example.com',
      'https://id.example.com/path/',
      'https://id.example.com//path',
      'https://id.example.com/a//b',
      'https://id.example.com/a%20b',
      'https://id.example.com/a;b',
      'https://id.example.com/?x=1',
      'https://id.example.com/#x',
      'https://user@id.example.com',
      'https://:password@id.example.com',
      'https://user:password@id.example.com',
      'javascript:alert(1)',
      'id.example.com',
    ])('is never %s', (issuer) => {
      const problems = problemsOf({ LATCHKEY_ISSUER: issuer })
      expect(problems.length).toBe(1)
      expect(problems[0]).toContain('LATCHKEY_ISSUER')
    })

    it('follows the port where none is given', () => {
      expect(readConfig({ PORT: '4321' })).toMatchObject({
        issuer: 'http://localhost:4321',
        development: true,
      })
    })
  })

  it('cannot be changed once it is read', () => {
    const config = readConfig({ LATCHKEY_HOST_TRUSTED_PROXIES: '10.0.0.1' })
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect(frozen(config)).toBe(true)
    expect(frozen(readConfig({}))).toBe(true)
  })
})
