import { describe, expect, it } from 'vitest'
import { openPolicy } from '../../src/features/policy/index.ts'
import { demandsOf } from '../../src/features/policy/policy.ts'
import { settings } from '../../src/features/policy/settings.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import type { Level } from '../../src/kernel/levels.ts'
import { defaultsOf, openPeople, type People } from '../support/people.ts'

const relaxed = { everyone: 'single-factor', administrators: 'single-factor' } as const

describe('what must be proven', () => {
  it('is what the server demands of everyone where nothing else is said', () => {
    const rules = { ...relaxed, everyone: 'multi-factor' } as const
    expect(demandsOf(rules, { administrator: false, requested: [] })).toEqual({
      strict: 'single-factor',
      standing: 'multi-factor',
      reasons: [{ rule: 'everyone', level: 'multi-factor' }],
    })
  })

  it('is more for administrators where the server says so, and never less', () => {
    const of = (everyone: Level, administrators: Level): Level =>
      demandsOf({ everyone, administrators }, { administrator: true, requested: [] }).standing
    expect(of('single-factor', 'phishing-resistant')).toBe('phishing-resistant')
    expect(of('multi-factor', 'single-factor')).toBe('multi-factor')
  })

  it('is at any price what the client requires, or the request where that is more', () => {
    const of = (client: Level | undefined, ...requested: Level[]): Level =>
      demandsOf(relaxed, { administrator: false, client, requested }).strict
    expect(of('multi-factor')).toBe('multi-factor')
    expect(of('multi-factor', 'single-factor')).toBe('multi-factor')
    expect(of('multi-factor', 'phishing-resistant')).toBe('phishing-resistant')
    expect(of(undefined, 'multi-factor')).toBe('multi-factor')
  })

  it('is the least of what a request would be content with', () => {
    const requested = ['phishing-resistant', 'multi-factor'] as const
    expect(demandsOf(relaxed, { administrator: false, requested }).strict).toBe('multi-factor')
  })

  it('names every rule, the strictest first', () => {
    const { reasons } = demandsOf(relaxed, {
      administrator: true,
      client: 'multi-factor',
      requested: ['phishing-resistant'],
    })
    expect(reasons.map(({ rule }) => rule)).toEqual(['request', 'client', 'everyone', 'administrators'])
  })
})

describe('the time to get ready', () => {
  const open = (people: Pick<People, 'storage' | 'clock'>, graceSeconds: number) =>
    openPolicy({
      ...people,
      settings: { ...defaultsOf(settings), graceSeconds },
      isAdministrator: async () => false,
      requiredBy: async () => undefined,
      findUser: async () => undefined,
      findClient: async () => undefined,
      ways: async () => [],
    }).policy

  it('begins when it is first asked for, and ends', async () => {
    await using people = await openPeople()
    const { id } = await people.person({ username: 'anna' })
    const policy = open(people, 60)
    const until = await policy.graceUntil(id)
    expect(until?.getTime()).toBe(people.clock.now().getTime() + 60_000)
    people.clock.advance(59)
    expect(await policy.graceUntil(id)).toEqual(until)
    people.clock.advance(1)
    expect(await policy.graceUntil(id)).toBeUndefined()
  })

  it('begins once, however many ask at the same time', async () => {
    await using people = await openPeople()
    const { id } = await people.person({ username: 'anna' })
    const policy = open(people, 60)
    const all = await Promise.all(Array.from({ length: 20 }, () => policy.graceUntil(id)))
    expect(new Set(all.map(String)).size).toBe(1)
  })

  it('is none where none is given', async () => {
    await using people = await openPeople()
    const { id } = await people.person({ username: 'anna' })
    expect(await open(people, 0).graceUntil(id as UserId)).toBeUndefined()
  })
})
