import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { accept, parseCreate, parseInput, parseUpdate } from '../../src/kernel/input.ts'
import type { Field } from '../../src/kernel/resource.ts'

const field = (schema: z.ZodType, writable: Field['writable'], optional?: boolean): Field => ({
  schema,
  writable,
  documentation: 'A field.',
  ...(optional === undefined ? {} : { optional }),
})

const fields = {
  id: field(z.string(), 'never'),
  kind: field(z.enum(['web', 'native']), 'create'),
  name: field(z.string().min(1, 'must not be empty'), 'always'),
  scopes: field(z.array(z.string()).default([]), 'always', true),
  note: field(z.string(), 'always', true),
}

describe('input', () => {
  it('creates from what may be given, with defaults', () => {
    expect(parseCreate(fields, { kind: 'web', name: 'Shop' })).toEqual({
      input: { kind: 'web', name: 'Shop', scopes: [] },
    })
  })

  it('changes what is named and nothing else', () => {
    expect(parseUpdate(fields, { name: 'Store' })).toEqual({ input: { name: 'Store' } })
    expect(parseUpdate(fields, {})).toEqual({ input: {} })
  })

  it.each([
    [
      'an unknown field',
      { kind: 'web', name: 'Shop', administrator: true },
      ['administrator'],
      'cannot be set',
    ],
    ['a field of the server', { kind: 'web', name: 'Shop', id: 'mine' }, ['id'], 'cannot be set'],
    ['a missing field', { kind: 'web' }, ['name'], 'is required'],
    ['an empty field', { kind: 'web', name: '' }, ['name'], 'must not be empty'],
    ['an object for a text', { kind: 'web', name: { contains: 'a' } }, ['name'], ''],
    ['null for a text', { kind: 'web', name: null }, ['name'], ''],
    ['a list for a text', { kind: 'web', name: ['Shop'] }, ['name'], ''],
    ['a wrong entry of a list', { kind: 'web', name: 'Shop', scopes: ['a', 1] }, ['scopes', 1], ''],
    [
      '__proto__',
      JSON.parse('{"kind":"web","name":"Shop","__proto__":{"administrator":true}}') as Record<
        string,
        unknown
      >,
      ['__proto__'],
      'cannot be set',
    ],
  ])('does not create with %s, and names it', (_what, value, path, message) => {
    const { faults = [], input } = parseCreate(fields, value)
    expect(input).toBeUndefined()
    expect(faults.length).toBe(1)
    expect(faults[0]?.path).toEqual(path)
    if (message !== '') expect(faults[0]?.message).toBe(message)
  })

  it.each([
    ['what is only for creation', { kind: 'native' }],
    ['what the server sets', { id: 'other' }],
    ['what there is not', { nothing: 1 }],
    ['a name that every object has', { constructor: 1 }],
  ])('does not change %s', (_what, value) => {
    expect(parseUpdate(fields, value)).toEqual({
      faults: [{ path: Object.keys(value), message: 'cannot be set' }],
    })
  })

  it('names all faults at once, and never what was given', () => {
    const parsed = parseInput(
      { a: fields.name, b: fields.kind },
      { a: 1, b: 'the-value-given', c: 'another' },
    )
    expect(parsed.faults?.map(({ path }) => path.join('.')).toSorted()).toEqual(['a', 'b', 'c'])
    expect(JSON.stringify(parsed.faults)).not.toContain('the-value-given')
    expect(() => accept(parsed)).toThrow(
      expect.objectContaining({
        code: 'input.invalid',
        status: 400,
        message: expect.stringMatching(/a: .*b: .*c: cannot be set/),
      }),
    )
  })

  it('is handed on as it was parsed', () => {
    expect(accept(parseInput({ a: field(z.string().transform(Number), 'always') }, { a: '5' }))).toEqual({
      a: 5,
    })
  })
})
