import { describe, expect, it } from 'vitest'
import { openRevisionedCache } from '../../src/storage/revisioned-cache.ts'

interface Answer {
  readonly text: string
}

/** A source that is asked by hand, and a revision that is set by hand. */
const open = (maximum?: number) => {
  const source = {
    revision: 1 as number | undefined,
    loads: [] as string[],
    text: 'old',
    changed: undefined as ReadonlySet<string> | undefined,
    asked: [] as number[],
  }
  const changedSince = (revision: number) => {
    source.asked.push(revision)
    return source.changed
  }
  const cache = openRevisionedCache<Answer>(() => source.revision, maximum, changedSince)
  const get = (key: string) =>
    cache.get(key, async () => {
      source.loads.push(key)
      return { text: source.text }
    })
  return { source, cache, get }
}

it('asks once while nothing changes', async () => {
  const { source, get } = open()
  const first = await get('a')
  source.text = 'new'
  expect(await get('a')).toBe(first)
  await get('b')
  expect(source.loads).toEqual(['a', 'b'])
})

it('asks again after a change, whatever the new revision is', async () => {
  const { source, get } = open()
  for (const [text, revision] of [
    ['first', 5],
    ['second', 6],
    ['third', 2],
    ['fourth', 0],
  ] as const) {
    source.revision = revision
    source.text = text
    expect(await get('a')).toEqual({ text })
    expect(await get('a')).toEqual({ text })
  }
  expect(source.loads).toHaveLength(4)
})

it('keeps nothing while the revision is unknown, and nothing from before', async () => {
  const { source, get } = open()
  await get('a')
  source.revision = undefined
  await get('a')
  await get('a')
  source.revision = 1
  await get('a')
  await get('a')
  expect(source.loads).toHaveLength(4)
})

it.each([
  ['a change', 2],
  ['a loss of the revision', undefined],
])('does not keep what was being read across %s', async (_name, revision) => {
  const { source, cache, get } = open()
  const reading = Promise.withResolvers<Answer>()
  const answer = cache.get('a', () => reading.promise)
  source.revision = revision
  reading.resolve({ text: 'read before the change' })
  expect(await answer).toEqual({ text: 'read before the change' })
  source.revision ??= 1
  source.text = 'read after it'
  expect(await get('a')).toEqual({ text: 'read after it' })
})

it('does not keep what was being read when it was dropped', async () => {
  const { cache, get } = open()
  const reading = Promise.withResolvers<Answer>()
  const answer = cache.get('a', () => reading.promise)
  cache.drop()
  reading.resolve({ text: 'read before' })
  await answer
  expect(await get('a')).toEqual({ text: 'old' })
})

it('forgets everything when it is dropped', async () => {
  const { source, cache, get } = open()
  await get('a')
  cache.drop()
  await get('a')
  expect(source.loads).toEqual(['a', 'a'])
})

it('does not remember what is not there, nor failures', async () => {
  const { get, cache } = open()
  expect(await cache.get('a', async () => undefined)).toBeUndefined()
  await expect(cache.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await get('a')).toEqual({ text: 'old' })
})

it('holds no more than its maximum, and forgets what was not used for longest', async () => {
  const { source, get } = open(3)
  for (const key of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) await get(key)
  expect(source.loads).toEqual(['a', 'b', 'c', 'd', 'b'])
})

describe('where it is known what has changed', () => {
  it('asks again for that alone, and once for each change', async () => {
    const { source, get } = open()
    const kept = await get('a')
    await get('b')
    Object.assign(source, { revision: 5, changed: new Set(['b', 'c']), text: 'new' })
    expect(await get('a')).toBe(kept)
    expect(await get('b')).toEqual({ text: 'new' })
    expect(await get('b')).toEqual({ text: 'new' })
    Object.assign(source, { revision: 6, changed: new Set() })
    await get('a')
    await get('b')
    expect(source.loads).toEqual(['a', 'b', 'b'])
    expect(source.asked).toEqual([1, 5])
  })

  it('forgets everything when that is not known', async () => {
    const { source, get } = open()
    await get('a')
    Object.assign(source, { revision: 2, changed: undefined })
    await get('a')
    expect(source.loads).toEqual(['a', 'a'])
  })

  it('does not believe it after a time in which nothing was known', async () => {
    const { source, get } = open()
    await get('a')
    source.changed = new Set(['b'])
    source.revision = undefined
    await get('b')
    source.revision = 2
    await get('a')
    expect(source.loads).toEqual(['a', 'b', 'a'])
    expect(source.asked).toEqual([])
  })

  it('does not keep what was being read when it changed, even if something else was asked for meanwhile', async () => {
    const { source, cache, get } = open()
    const [changing, staying] = [Promise.withResolvers<Answer>(), Promise.withResolvers<Answer>()]
    const asked = [cache.get('a', () => changing.promise), cache.get('b', () => staying.promise)]
    Object.assign(source, { revision: 2, changed: new Set(['a']) })
    await get('c')
    Object.assign(source, { revision: 3, changed: new Set(['c']) })
    changing.resolve({ text: 'read before the change' })
    staying.resolve({ text: 'read meanwhile' })
    await Promise.all(asked)
    expect(await get('a')).toEqual({ text: 'old' })
    expect(await get('b')).toEqual({ text: 'read meanwhile' })
    expect(source.loads).toEqual(['c', 'a'])
  })
})
