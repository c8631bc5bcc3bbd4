import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Leases, openLeases } from '../../src/storage/leases.ts'
import { fixedClock } from '../support/clock.ts'
import { openTestStorage, type TestStorage } from '../support/storage.ts'

const name = 'sweep'
const lease = { everySeconds: 60, seconds: 10 }
let storage: TestStorage
let clock: ReturnType<typeof fixedClock>
let one: Leases
let other: Leases

beforeEach(async () => {
  storage = await openTestStorage()
  clock = fixedClock()
  one = openLeases(storage, clock)
  other = openLeases(await storage.openAnother(), clock)
})
afterEach(() => storage[Symbol.asyncDispose]())

it('goes to one of many that ask for it at once, the first time and later', async () => {
  const another = await storage.openAnother()
  const crowd = Array.from({ length: 20 }, (_, index) =>
    openLeases(index % 2 === 0 ? storage : another, clock),
  )
  for (let round = 0; round < 3; round += 1) {
    const taken = await Promise.all(crowd.map((each) => each.take(name, lease)))
    expect(taken.filter(Boolean)).toHaveLength(1)
    await crowd[taken.indexOf(true)]?.finish(name)
    clock.advance(lease.everySeconds)
  }
})

it('is for one job only', async () => {
  expect(await one.take(name, lease)).toBe(true)
  expect(await other.take('another job', lease)).toBe(true)
})

it('is not given again, even to its holder, until its time is over', async () => {
  expect(await one.take(name, lease)).toBe(true)
  clock.advance(lease.seconds - 1)
  expect([await other.take(name, lease), await one.take(name, lease)]).toEqual([false, false])
  clock.advance(1)
  expect(await other.take(name, lease)).toBe(true)
})

it('comes round again when it was finished and the interval is over, not before', async () => {
  expect(await one.take(name, lease)).toBe(true)
  await one.finish(name)
  clock.advance(lease.everySeconds - 1)
  expect([await other.take(name, lease), await one.take(name, lease)]).toEqual([false, false])
  clock.advance(1)
  expect(await other.take(name, lease)).toBe(true)
})

it('cannot be finished by one who lost it', async () => {
  expect(await one.take(name, lease)).toBe(true)
  clock.advance(lease.seconds)
  expect(await other.take(name, lease)).toBe(true)
  await one.finish(name)
  const row = await storage.db.jobLease.findUniqueOrThrow({ where: { name } })
  expect([row.finishedAt, row.leasedUntil > clock.now()]).toEqual([null, true])
  expect(await one.take(name, lease)).toBe(false)
})
