import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openAudit } from '../../src/features/audit/index.ts'
import { openAuthorizationTypes, type TypeItem } from '../../src/features/authorization-types/index.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { Input } from '../../src/kernel/input.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { administration, codeOf } from '../support/administration.ts'
import { openParties, type Parties } from '../support/parties.ts'

let opened: Parties

beforeAll(async () => {
  opened = await openParties()
})
afterAll(() => opened[Symbol.asyncDispose]())

const featureOn = (storage: Storage) => {
  const { clock, log } = opened
  const { audit } = openAudit({ storage, clock, log, settings: { retentionSeconds: 86_400 } })
  return openAuthorizationTypes({ storage, clock, audit })
}
let feature: ReturnType<typeof featureOn>
beforeAll(() => {
  feature = featureOn(opened.storage)
})

const administrate = administration(() => feature.resource)
const create = async (input: Input): Promise<TypeItem> => (await administrate.create(input)).item
const act = async (item: TypeItem, name: string): Promise<TypeItem> =>
  (await administrate.act(item, name)).item

let made = 0
const next = () => {
  made += 1
  return { type: `type_${made}`, title: 'A type' }
}

describe('a type of authorization details', () => {
  it('holds nothing and is asked for each time when nothing is said', async () => {
    const given = next()
    expect(await create(given)).toMatchObject({
      ...given,
      description: '',
      fields: [],
      remember: false,
      state: 'active',
    })
  })

  it('is found by its name as long as it is active, in another process, too', async () => {
    const other = featureOn(opened.storage)
    const item = await create(next())
    expect(await other.types.find(item.type)).toMatchObject({ type: item.type })
    await act(item, 'disable')
    expect(await other.types.find(item.type)).toBeUndefined()
    expect((await other.types.list()).map(({ type }) => type)).not.toContain(item.type)
    await act(item, 'enable')
    expect(await other.types.find(item.type)).toMatchObject({ type: item.type })
    await feature.resource.delete(item, commandLineActor)
    expect(await other.types.find(item.type)).toBeUndefined()
  })

  it('raises the revision with each change', async () => {
    const before = feature.types.revision() ?? 0
    const item = await create(next())
    expect(feature.types.revision()).toBeGreaterThan(before)
    await administrate.update(item, { title: 'Another' })
    expect((await feature.types.find(item.type))?.title).toBe('Another')
  })

  it('has a name of its own, also where twenty take it at once', async () => {
    const given = next()
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => create(given)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await codeOf(create(given))).toBe('authorization_types.type_taken')
  })

  it.each([
    ['a name with a space', { type: 'a b' }],
    ['the type that the library keeps', { type: 'openid_credential' }],
    ['a name of the language', { type: '__proto__' }],
    ['a field called type', { fields: [{ name: 'type', kind: 'text' }] }],
    ['a field called __proto__', { fields: [{ name: '__proto__', kind: 'text' }] }],
    ['a field called constructor', { fields: [{ name: 'constructor', kind: 'text' }] }],
    [
      'two fields of one name',
      {
        fields: [
          { name: 'a', kind: 'text' },
          { name: 'a', kind: 'flag' },
        ],
      },
    ],
    ['a kind that is none', { fields: [{ name: 'a', kind: 'regex' }] }],
    ['a choice of nothing', { fields: [{ name: 'a', kind: 'choice' }] }],
    ['values of a text', { fields: [{ name: 'a', kind: 'text', values: ['x'] }] }],
    ['a group of nothing', { fields: [{ name: 'a', kind: 'group' }] }],
    ['fields of a text', { fields: [{ name: 'a', kind: 'text', fields: [{ name: 'b', kind: 'text' }] }] }],
    [
      'a group within a group',
      { fields: [{ name: 'a', kind: 'group', fields: [{ name: 'b', kind: 'group', fields: [] }] }] },
    ],
    [
      'too many fields',
      { fields: Array.from({ length: 41 }, (_, index) => ({ name: `f${index}`, kind: 'text' })) },
    ],
    ['an unknown member', { script: 'x' }],
  ])('is not made with %s', async (_what, input) => {
    expect(await codeOf(create({ ...next(), ...input }))).not.toBe('')
    expect(
      await feature.types.find(String((input as { type?: string }).type ?? `type_${made}`)),
    ).toBeUndefined()
  })
})

describe('details', () => {
  const fields = [
    { name: 'note', kind: 'text' },
    { name: 'count', kind: 'number' },
    { name: 'now', kind: 'flag' },
    { name: 'size', kind: 'choice', values: ['small', 'large'] },
    { name: 'tags', kind: 'list' },
    { name: 'sum', kind: 'amount' },
    { name: 'to', kind: 'group', fields: [{ name: 'id', kind: 'text', required: true }] },
  ]

  const faultIn = async (detail: Readonly<Record<string, unknown>>) => {
    const { type } = (await feature.types.find('all_kinds'))
      ? { type: 'all_kinds' }
      : await create({ type: 'all_kinds', title: 'All', fields })
    const known = await feature.types.find(type)
    if (known === undefined) throw new Error('There is no type.')
    return feature.faultOf(known, { type, ...detail })
  }

  it('of every kind are accepted', async () => {
    const sum = { currency: 'EUR', amount: '0.01' }
    const all = {
      note: 'Über 9 €',
      count: -1.5,
      now: false,
      size: 'small',
      tags: ['a'],
      sum,
      to: { id: 'x' },
    }
    expect(await faultIn(all)).toBeUndefined()
    expect(await faultIn({})).toBeUndefined()
  })

  it.each([
    ['note', { note: 1 }],
    ['note', { note: '' }],
    ['note', { note: ' padded ' }],
    ['note', { note: 'a\u0000b' }],
    ['note', { note: 'x'.repeat(501) }],
    ['note', { note: null }],
    ['count', { count: '1' }],
    ['count', { count: Number.NaN }],
    ['count', { count: 1e300 }],
    ['now', { now: 'true' }],
    ['size', { size: 'huge' }],
    ['tags', { tags: 'a' }],
    ['tags', { tags: [] }],
    ['tags', { tags: Array(51).fill('a') }],
    ['tags.0', { tags: [{}] }],
    ['sum.currency', { sum: { currency: 'eur', amount: '1' } }],
    ['sum.amount', { sum: { currency: 'EUR', amount: '1e3' } }],
    ['sum.amount', { sum: { currency: 'EUR', amount: '01' } }],
    ['sum', { sum: { currency: 'EUR', amount: '1', more: 1 } }],
    ['to.id', { to: {} }],
    ['to', { to: { id: 'x', more: 1 } }],
    ['to', { to: [] }],
  ])('with a wrong %s are told of by name', async (name, detail) => {
    expect(await faultIn(detail)).toMatch(new RegExp(`^${name}\\b`))
  })

  it('that were not declared or are too long are refused', async () => {
    expect(await faultIn({ other: 1 })).toContain('other')
    expect(await faultIn(JSON.parse('{"__proto__":{"x":1}}'))).toBeDefined()
    expect(await faultIn({ tags: Array.from({ length: 50 }, () => 'x'.repeat(400)) })).toContain('bytes')
  })
})
