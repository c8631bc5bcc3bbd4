import { describe, expect, it } from 'vitest'
import { announcementOf, openHeardChanges } from '../../src/storage/heard-changes.ts'
import { keptChanges } from '../../src/storage/storage.ts'

const topic = 'clients'

/** One that has been told what the table counts, and heard one change since. */
const open = (value = 41) => {
  const changes = openHeardChanges()
  changes.compare([[topic, value]], changes.known())
  const hear = (next: number, key?: string) => changes.hear(announcementOf({ topic, value: next, key }))
  hear(value + 1, 'first')
  const since = changes.of(topic)
  const changed = () => {
    const keys = changes.changedSince(topic, since)
    return keys && [...keys]
  }
  return { ...changes, hear, since, changed, told: changes.hear }
}

describe('changes that are heard one after the other', () => {
  it('are known by their keys, whatever these are', () => {
    const { hear, changed, of, since } = open()
    const keys = ['a', 'https://app.example.test/"\\\u2028', '__proto__', '']
    for (const [index, key] of keys.entries()) hear(43 + index, key)
    expect(changed()).toEqual(keys)
    expect(of(topic)).toBe(since + keys.length)
    expect(of('keys')).toBe(0)
  })

  it('are known from the first one of all', () => {
    const { hear, changed } = open(0)
    hear(2, 'a')
    expect(changed()).toEqual(['a'])
  })
})

describe('the answer of the table', () => {
  it('says nothing new where it counts what was heard', () => {
    const { changed, compare, isBehind, known } = open()
    expect(isBehind([[topic, 42]])).toBe(false)
    compare([[topic, 42]], known())
    expect(changed()).toEqual([])
  })

  it('may be behind what was heard while it was on its way, or before what is heard a moment later', () => {
    const { changed, compare, hear, isBehind, known } = open()
    const before = known()
    hear(43, 'a')
    compare([[topic, 42]], before)
    expect(changed()).toEqual(['a'])
    expect(isBehind([[topic, 44]])).toBe(true)
    hear(44, 'b')
    compare([[topic, 44]], before)
    expect(changed()).toEqual(['a', 'b'])
  })
})

describe('it is not known what has changed', () => {
  it('where one was not heard', () => {
    const { hear, changed } = open()
    hear(44, 'b')
    expect(changed()).toBeUndefined()
  })

  it('where one is heard again, or of a time before', () => {
    for (const value of [42, 7]) {
      const { hear, changed } = open()
      hear(value, 'b')
      expect(changed()).toBeUndefined()
    }
  })

  it.each([
    ['was about the whole topic', announcementOf({ topic, value: 43, key: undefined })],
    ['does not say what it was about, as an older version tells it', topic],
  ])('where one %s', (_what, payload) => {
    const { told, changed, of, since } = open()
    told(payload)
    expect(of(topic)).toBeGreaterThan(since)
    expect(changed()).toBeUndefined()
  })

  it.each([
    ['more than was heard', 43, true],
    ['less than was known when it was asked', 41, false],
    ['next to nothing', 1, false],
  ])('where the table counts %s', (_what, value, isBehind) => {
    const { changed, compare, hear, of, changedSince, known, ...changes } = open()
    expect(changes.isBehind([[topic, value]])).toBe(isBehind)
    compare([[topic, value]], known())
    expect(changed()).toBeUndefined()
    const since = of(topic)
    compare([[topic, value]], known())
    hear(value + 1, 'a')
    expect(changedSince(topic, since)).toEqual(new Set(['a']))
  })

  it('where a connection was away meanwhile', () => {
    const { skip, changed, of, since } = open()
    skip(1_000_000)
    expect(of(topic)).toBeGreaterThan(since)
    expect(changed()).toBeUndefined()
  })

  it('where there were more than are kept', () => {
    const { hear, changed } = open()
    for (let index = 0; index < keptChanges; index += 1) hear(43 + index, `${index}`)
    expect(changed()).toHaveLength(keptChanges)
    hear(43 + keptChanges, 'one more')
    expect(changed()).toBeUndefined()
  })
})
