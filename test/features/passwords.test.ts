import { verify } from '@node-rs/argon2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { passwordFactor } from '../../src/features/passwords/factor.ts'
import { openHashing } from '../../src/features/passwords/hashing.ts'
import { settings } from '../../src/features/passwords/settings.ts'
import { openPasswordStore } from '../../src/features/passwords/store.ts'
import {
  attempt,
  change,
  defaultsOf,
  openFeatures,
  openPeople,
  type People,
  request,
  tally,
} from '../support/people.ts'

const password = 'seven purple umbrellas'
const fails = (code: string, status: number) => expect.objectContaining({ code, status })
const refused = fails('passwords.invalid_credentials', 401)
const _tokenOf = (url: string) => new URL(url).searchParams.get('token') ?? ''

describe('passwords', () => {
  let people: People
  beforeEach(async () => {
    people = await openPeople()
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const anna = () => people.person({ email: 'anna@example.com', username: 'anna' }, password)
  const storedHash = async (userId: string) =>
    (await people.storage.db.password.findUniqueOrThrow({ where: { userId } })).hash

  describe('signing in', () => {
    it('proves who somebody is, by address or user name', async () => {
      const { id } = await anna()
      for (const identifier of ['anna@example.com', ' ANNA@Example.com ', 'Anna']) {
        expect(await people.signIn(identifier, password)).toMatchObject({
          factor: 'password',
          userId: id,
          amr: ['pwd'],
          at: people.clock.now(),
        })
      }
      expect(await people.factor.enrolled(id)).toBe(true)
    })

    it('takes the same characters however they are entered, and no others', async () => {
      await people.person({ username: 'anna' }, 'Schlüssel\u00a0und ﬁsch')
      await people.signIn('anna', 'Schlu\u0308ssel und fisch')
      for (const other of ['schlüssel und fisch', 'Schlüssel und fisch ', 'Schlussel und fisch']) {
        await expect(people.signIn('anna', other)).rejects.toThrow(refused)
      }
    })

    it('takes every character and cuts nothing off', async () => {
      const long = `${'länge '.repeat(145)}\0\u{1f511}`
      await people.person({ username: 'anna' }, long)
      await people.signIn('anna', long)
      await expect(people.signIn('anna', long.slice(0, -2))).rejects.toThrow(refused)
    })

    it('says the same of an unknown, a disabled and a passwordless person as of a wrong password', async () => {
      const { id } = await people.person({ username: 'disabled' }, password)
      await people.users.disable(id, change)
      await people.person({ username: 'invited' })
      await anna()
      const errors = []
      for (const [identifier, given] of [
        ['anna', 'a wrong password'],
        ['nobody', password],
        ['disabled', password],
        ['invited', password],
        ['an\0na\r\n', password],
        ['', password],
      ] as const) {
        const error = await people.signIn(identifier, given).catch((cause) => cause)
        errors.push([error.code, error.status, error.message, error.params])
      }
      expect(new Set(errors.map((error) => JSON.stringify(error))).size).toBe(1)
      expect(errors[0]?.[0]).toBe('passwords.invalid_credentials')
    })

    it('takes the same time for them', async () => {
      const own = await openPeople({ throttle: { accountFailures: 10_000, addressFailures: 10_000 } })
      try {
        await own.person({ username: 'known' }, password)
        const { id } = await own.person({ username: 'disabled' }, password)
        await own.users.disable(id, change)
        const durations: Record<string, number[]> = { known: [], unknown: [], disabled: [] }
        for (let round = 0; round < 25; round += 1) {
          for (const [username, times] of Object.entries(durations)) {
            const start = performance.now()
            await expect(own.signIn(username, 'a wrong password')).rejects.toThrow(refused)
            times.push(performance.now() - start)
          }
        }
        // The shortest of many: whatever else the machine does only ever adds.
        const [known = 0, unknown = 0, disabled = 0] = Object.values(durations).map((times) =>
          Math.min(...times),
        )
        expect(known).toBeGreaterThan(5)
        for (const other of [unknown, disabled]) {
          expect(other / known).toBeGreaterThan(0.5)
          expect(other / known).toBeLessThan(2)
        }
      } finally {
        await own[Symbol.asyncDispose]()
      }
    })

    it.each([
      ['nothing', undefined],
      ['text', 'anna'],
      ['no password', { identifier: 'anna' }],
      ['no identifier', { password }],
      ['an empty password', { identifier: 'anna', password: '' }],
      ['a list', { identifier: ['anna'], password }],
      ['an object', { identifier: { contains: '' }, password: { not: '' } }],
      ['more than asked for', { identifier: 'anna', password, userId: 'x' }],
      ['a very long password', { identifier: 'anna', password: 'a'.repeat(10_000) }],
      ['a very long identifier', { identifier: 'a'.repeat(10_000), password }],
      ['half a character', { identifier: 'anna', password: `${password}\ud800` }],
    ])('refuses %s without counting or hashing', async (_name, input) => {
      await expect(people.factor.finish(attempt(), input)).rejects.toThrow(
        fails('passwords.invalid_input', 400),
      )
      expect(await people.storage.db.throttleCounter.count()).toBe(0)
    })

    it('counts 50 parallel failures before it verifies any', async () => {
      await anna()
      expect(
        await tally(Array.from({ length: 50 }, () => people.signIn('anna', 'a wrong password'))),
      ).toEqual({
        'passwords.invalid_credentials': 5,
        'throttle.too_many_attempts': 45,
      })
      await expect(people.signIn('anna', password)).rejects.toThrow(fails('throttle.too_many_attempts', 429))
    })

    it('holds an unknown account back exactly as a known one', async () => {
      await anna()
      for (const identifier of ['anna', 'nobody']) {
        const codes: string[] = []
        for (let time = 0; time < 7; time += 1) {
          codes.push(await people.signIn(identifier, 'a wrong password').catch(({ code }) => code))
        }
        expect(codes.slice(0, 5)).toEqual(Array(5).fill('passwords.invalid_credentials'))
        expect(codes.slice(5)).toEqual(Array(2).fill('throttle.too_many_attempts'))
      }
    })

    it('does not tell by its counters that an address and a user name are one person', async () => {
      await anna()
      for (let time = 0; time < 6; time += 1)
        await people.signIn('anna@example.com', 'a wrong one').catch(() => {})
      await expect(people.signIn('anna', 'a wrong one')).rejects.toThrow(refused)
    })

    it('lets the owner in on his device while a stranger tries', async () => {
      await anna()
      const device = 'device of anna'
      await people.signIn('anna', password, { device })
      const stranger = { request: { ...request, address: '198.51.100.7' } }
      for (let time = 0; time < 20; time += 1)
        await people.signIn('anna', 'a guess', stranger).catch(() => {})
      await expect(people.signIn('anna', password, stranger)).rejects.toThrow(
        fails('throttle.too_many_attempts', 429),
      )
      await people.signIn('anna', password, { device })
    })

    it('lets only the person confirm who is signed in', async () => {
      const { id } = await anna()
      const other = await people.person({ username: 'ben' }, 'another long phrase')
      const confirm = (input: object) => people.factor.finish(attempt({ userId: id }), input)
      expect(await confirm({ password })).toMatchObject({ userId: id })
      expect(await confirm({ identifier: 'anna', password })).toMatchObject({ userId: id })
      await expect(confirm({ identifier: 'ben', password: 'another long phrase' })).rejects.toThrow(refused)
      await expect(confirm({ password: 'another long phrase' })).rejects.toThrow(refused)
      await expect(
        people.factor.finish(attempt({ userId: other.id }), { identifier: 'anna', password }),
      ).rejects.toThrow(refused)
    })

    it('proves nothing when the person is disabled or the password changed while it was checked', async () => {
      const { id } = await anna()
      const { storage, clock } = people
      const hashing = openHashing(defaultsOf(settings))
      const signInDuring = (meddle: () => Promise<unknown>) => {
        const verifyAndMeddle: typeof hashing.verify = async (...given) => {
          const matches = await hashing.verify(...given)
          await meddle()
          return matches
        }
        const slow = { ...hashing, verify: verifyAndMeddle }
        const factor = passwordFactor({ ...people, clock, store: openPasswordStore(storage), hashing: slow })
        return factor.finish(attempt(), { identifier: 'anna', password })
      }
      await signInDuring(async () => undefined)
      await expect(signInDuring(() => people.users.disable(id, change))).rejects.toThrow(refused)
      await people.users.enable(id, change)
      const hash = await people.passwords.prepare('another long phrase', {})
      const changing = () => storage.transaction((db) => people.passwords.set(db, id, hash))
      await expect(signInDuring(changing)).rejects.toThrow(refused)
    })

    it('asks to try again when too many are waiting, and holds that against nobody', async () => {
      const own = await openPeople({ passwords: { concurrentHashes: 1, waitingHashes: 2 } })
      try {
        await own.person({ username: 'anna' }, password)
        const counts = await tally(
          Array.from({ length: 12 }, (_, index) => own.signIn(`somebody-${index}`, 'a wrong password')),
        )
        expect(Object.keys(counts).sort()).toEqual(['passwords.busy', 'passwords.invalid_credentials'])
        const counters = await own.storage.db.throttleCounter.findMany({ where: { failures: { gt: 0 } } })
        expect(counters.filter(({ key }) => key.startsWith('account'))).toHaveLength(
          counts['passwords.invalid_credentials'] ?? -1,
        )
        await own.signIn('anna', password)
      } finally {
        await own[Symbol.asyncDispose]()
      }
    })

    it('records successes and failures, and never what was typed', async () => {
      const { id } = await anna()
      await people.signIn('anna', password)
      await people.signIn('anna', 'a wrong password').catch(() => {})
      await people.signIn('hunter2 typed here', 'a wrong password').catch(() => {})
      const events = await people.storage.db.auditEvent.findMany({
        where: { action: { startsWith: 'passwords.' } },
      })
      expect(events.map(({ action, userId, address }) => [action, userId, address])).toEqual([
        ['passwords.proved', id, '192.0.2.1'],
        ['passwords.refused', id, '192.0.2.1'],
        ['passwords.refused', null, '192.0.2.1'],
      ])
      expect(JSON.stringify(events)).not.toMatch(/hunter2|wrong|umbrellas/)
    })
  })

  describe('hashing', () => {
    it('stores Argon2id in the usual form', async () => {
      const { id } = await anna()
      const hash = await storedHash(id)
      expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
      expect(await verify(hash, password)).toBe(true)
    })

    it('hashes anew at the next sign-in when the parameters have changed', async () => {
      const { id } = await anna()
      const stronger = openFeatures(people.storage, people.clock, { passwords: { argon2Passes: 3 } })
      const input = { identifier: 'anna', password }
      await expect(stronger.factor.finish(attempt(), { ...input, password: 'a wrong one' })).rejects.toThrow(
        refused,
      )
      expect(await storedHash(id)).toContain('t=2')
      await stronger.factor.finish(attempt(), input)
      const hash = await storedHash(id)
      expect(hash).toContain('t=3')
      await stronger.factor.finish(attempt(), input)
      expect(await storedHash(id)).toBe(hash)
    })
  })
})
