import { describe, expect, it } from 'vitest'
import {
  choice,
  flag,
  integer,
  list,
  optionalText,
  optionalUrl,
  seconds,
  text,
  variableOf,
} from '../../src/kernel/settings.ts'

describe('settings', () => {
  it.each([
    ['server', 'logLevel', 'LATCHKEY_LOG_LEVEL'],
    ['signingKeys', 'rotationSeconds', 'LATCHKEY_SIGNING_KEYS_ROTATION_SECONDS'],
    ['passwords', 'argon2MemoryKib', 'LATCHKEY_PASSWORDS_ARGON2_MEMORY_KIB'],
    ['provider', 'outboundAllowHosts', 'LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS'],
  ])('of %s called %s are %s', (section, key, variable) => {
    expect(variableOf(section, key, text('x', 'A text.'))).toBe(variable)
  })

  it('keep the names that the field uses', () => {
    expect(variableOf('server', 'databaseUrl', optionalText('Where.', { variable: 'DATABASE_URL' }))).toBe(
      'DATABASE_URL',
    )
  })

  it('are secret only where they say so', () => {
    expect([
      text('x', 'A.').secret,
      optionalText('A.', { secret: true }).secret,
      integer(1, 'A.').secret,
      list([], 'A.').secret,
    ]).toEqual([false, true, false, false])
  })

  it.each([
    ['seconds below the least', seconds(60, 'A time.', 30), '29'],
    ['seconds beyond ten years', seconds(60, 'A time.'), '315360001'],
    ['a number with a sign', integer(1, 'A number.'), '+1'],
    ['a number of 16 digits', integer(1, 'A number.'), '1000000000000000'],
    ['a choice that is none', choice(['a', 'b'], 'a', 'A choice.'), 'c'],
    ['a flag in other words', flag(false, 'A flag.'), 'no'],
    ['an empty text', text('x', 'A text.'), ''],
    ['an address without a scheme', optionalUrl('An address.'), 'example.test'],
  ])('refuse %s', (_what, setting, value) => {
    const parsed = setting.schema.safeParse(value)
    expect(parsed.success).toBe(false)
    expect(parsed.error?.issues[0]?.message).toMatch(/^must /)
  })

  it('take numbers at their bounds', () => {
    const bounded = integer(5, 'A number.', { minimum: 1, maximum: 9 })
    expect(['1', '9', '05'].map((value) => bounded.schema.parse(value))).toEqual([1, 9, 5])
    expect(seconds(60, 'A time.', 0).schema.parse('0')).toBe(0)
  })

  it('split lists without their blanks', () => {
    expect(list([], 'A list.').schema.parse(' a, ,b ,')).toEqual(['a', 'b'])
    expect(list([], 'A list.').schema.parse(' ')).toEqual([])
  })
})
