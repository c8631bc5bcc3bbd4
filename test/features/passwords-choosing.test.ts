import { verify } from '@node-rs/argon2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFeatures, openPeople, type People } from '../support/people.ts'

const fails = (code: string, status: number) => expect.objectContaining({ code, status })

describe('the rules for a new password', () => {
  let people: People
  beforeAll(async () => {
    people = await openPeople()
  })
  afterAll(() => people[Symbol.asyncDispose]())

  const known = {
    email: 'anna.gruber@example.com',
    username: 'Änne_99',
    name: 'Anna Gruber-Maier',
    givenName: 'Annabelle',
    familyName: null,
  }
  const choose = (chosen: string) => people.passwords.prepare(chosen, known)

  it.each([
    '7even?ty',
    'ünï¢ödé passwörd',
    `${'a'.repeat(20)}bcd`,
    ' leading and trailing ',
    '🔑🔒🗝️🚪🏠🪟🧱🪜',
    `${'x1'.repeat(500)}y`,
    'annabelle likes mountains',
    'x\0y\0z\0w\0q',
  ])('takes %j', async (chosen) => {
    expect(await verify(await choose(chosen), chosen.normalize('NFKC'))).toBe(true)
  })

  it.each([
    ['too_short', 'seven7!'],
    ['too_short', '🔑🔒🚪🏠🪟🧱🪜'],
    ['too_short', ''],
    ['too_long', 'a'.repeat(1_025)],
    ['too_long', 'a'.repeat(10_000)],
    ['too_long', 'ä'.repeat(513)],
    ['malformed', 'half a character \ud800'],
    ['common', 'password'],
    ['common', 'PassWord'],
    ['common', 'password123!'],
    ['common', '12345678'],
    ['common', 'ＰＡＳＳＷＯＲＤ'],
    ['common', 'qwertyuiop'],
    ['common', 'zzzzzzzzzzzz'],
    ['common', 'abcabcabcabc'],
    ['common', 'abcdefghijkl'],
    ['common', '9876543210'],
    ['personal', 'Anna.Gruber@example.com'],
    ['personal', 'anna.gruber'],
    ['personal', 'AnnaGruber1!'],
    ['personal', 'änne_99!'],
    ['personal', 'Anna Gruber-Maier'],
    ['personal', 'annagrubermaier'],
    ['personal', 'annabelle2026'],
    ['personal', 'example.com'],
    ['personal', 'latchkey'],
    ['personal', 'Latchkey2026'],
  ])('refuses as %s %j', async (code, chosen) => {
    await expect(choose(chosen)).rejects.toThrow(fails(`passwords.${code}`, 400))
  })

  it('can ask for longer ones', async () => {
    const own = openFeatures(people.storage, people.clock, { passwords: { minimumLength: 15 } })
    expect(own.passwords.minimumLength).toBe(15)
    await expect(own.passwords.prepare('fourteen chars', {})).rejects.toThrow(
      expect.objectContaining({ code: 'passwords.too_short', params: { minimum: 15 } }),
    )
    await own.passwords.prepare('fifteen chars!!', {})
  })
})
