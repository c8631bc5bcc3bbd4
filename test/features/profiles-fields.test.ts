import { describe, expect, it } from 'vitest'
import { parseFields, profileFields } from '../../src/features/profiles/fields.ts'
import { settings } from '../../src/features/profiles/settings.ts'

const parse = (text: string) => settings.fields.schema.safeParse(text)
const fieldsOf = (text: string) => profileFields(parse(text).data ?? [])
const now = new Date('2026-01-01T12:00:00Z')

describe('the fields of a profile', () => {
  it('are read from one setting', () => {
    expect(
      parse('nickname, phone_number register,department : "Department, or team" required fixed ,').data,
    ).toEqual([
      { name: 'nickname', register: false, required: false, fixed: false },
      { name: 'phone_number', register: true, required: false, fixed: false },
      { name: 'department', label: 'Department, or team', register: true, required: true, fixed: true },
    ])
    expect(parse('').data).toEqual([])
  })

  it.each([
    'sub',
    'email',
    'roles register',
    'password:"Password"',
    '__proto__:"P"',
    'constructor:"C"',
    'department',
    'department:""',
    `department:"${'x'.repeat(61)}"`,
    'department:"D',
    'nickname:"Nick"',
    'nickname always',
    'nickname; website',
    'nickname, nickname',
    'Nickname',
    'nick name',
    ',',
    `a${'b'.repeat(40)}:"A"`,
    Array.from({ length: 41 }, (_, index) => `f${index}:"F"`).join(','),
  ])('are not read from %j', (text) => {
    expect(parse(text).success).toBe(false)
  })

  it.each([
    ['nickname', ' Ada ', 'Ada'],
    ['nickname', '', null],
    ['nickname', '   ', null],
    ['phone_number', '0043 (1) 234-567', '+431234567'],
    ['phone_number', '+43 1 234567', '+431234567'],
    ['birthdate', '1815-12-10', undefined],
    ['birthdate', '2000-02-29', '2000-02-29'],
    ['birthdate', '2026-01-01', '2026-01-01'],
    ['birthdate', '2026-01-02', undefined],
    ['birthdate', '2001-02-29', undefined],
    ['birthdate', '2000-2-9', undefined],
    ['birthdate', '2000-02-09T00:00:00Z', undefined],
    ['phone_number', '12345678', undefined],
    ['phone_number', '+0123456789', undefined],
    ['phone_number', '+43 1 2x4567', undefined],
    ['phone_number', `+${'1'.repeat(16)}`, undefined],
    ['website', 'https://ada.example/x?y#z', 'https://ada.example/x?y#z'],
    ['website', 'http://ada.example', 'http://ada.example'],
    ['website', 'javascript:alert(1)', undefined],
    ['website', 'data:text/html,x', undefined],
    ['website', 'ada.example', undefined],
    ['website', '//ada.example', undefined],
    ['website', 'https://bank.example@evil.example', undefined],
    ['website', 'https://ada.example/\u202egpj.exe', undefined],
    ['website', 'https://ada.example\nhttps://evil.example', undefined],
    ['address', ' 12 St James’s Square \r\n\r\nLondon\rEngland ', '12 St James’s Square\nLondon\nEngland'],
    ['address', 'x'.repeat(501), undefined],
    ['address', 'x\n'.repeat(9), undefined],
    ['address', 'London\u0000', undefined],
    ['nickname', 'Ada\nLovelace', undefined],
    ['nickname', 'Ada\u0007', undefined],
    ['nickname', 'Ada\u202e', undefined],
    ['nickname', 'x'.repeat(201), undefined],
    ['nickname', 'x'.repeat(200), 'x'.repeat(200)],
  ])('%s: %j becomes %j', (name, text, becomes) => {
    const fields = fieldsOf(name)
    if (becomes === undefined)
      return expect(() => parseFields(fields, { [name]: text }, now)).toThrow(
        expect.objectContaining({
          status: 400,
          field: name,
          code: expect.stringMatching(/^profiles\.\w+_invalid$/),
        }),
      )
    expect(parseFields(fields, { [name]: text }, now)).toEqual({ [name]: becomes })
  })

  it('that are required are not left empty, and nothing else of a form counts', () => {
    const fields = fieldsOf('nickname required')
    expect(() => parseFields(fields, { nickname: ' ' }, now)).toThrow(
      expect.objectContaining({ code: 'profiles.field_required', field: 'nickname' }),
    )
    expect(parseFields(fields, { nickname: 'Ada', sub: 'x', gender: 'y' }, now)).toEqual({ nickname: 'Ada' })
  })
})
