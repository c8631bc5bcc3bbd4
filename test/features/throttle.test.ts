import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addressKey } from '../../src/features/throttle/index.ts'
import { fixedClock } from '../support/clock.ts'
import { change, openFeatures, openPeople, type People, tally } from '../support/people.ts'

describe('throttle', () => {
  let people: People
  beforeEach(async () => {
    people = await openPeople()
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const subject = { account: 'anna', address: '192.0.2.1' }
  const fail = async (times: number, of = subject) => {
    for (let time = 0; time < times; time += 1) await people.throttle.admit(of)
  }
  const refusal = (of: Parameters<People['throttle']['admit']>[0] = subject) =>
    people.throttle.admit(of).then(
      () => undefined,
      (error) => error,
    )

  it('admits exactly the allowance of 50 parallel attempts, in two processes', async () => {
    const other = await people.openAnother()
    const attempts = Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? people : other).throttle.admit(subject),
    )
    expect(await tally(attempts)).toEqual({ success: 5, 'throttle.too_many_attempts': 45 })
    const counters = await people.storage.db.throttleCounter.findMany({ orderBy: { failures: 'asc' } })
    expect(counters.map(({ key, failures }) => [key.split(':')[0], failures])).toEqual([
      ['account', 5],
      ['address', 50],
    ])
  })

  it('does not hold up an attempt that a process with an earlier clock makes', async () => {
    const behind = openFeatures(people.storage, fixedClock())
    people.clock.advance(0.05)
    await fail(1)
    await behind.throttle.admit(subject)
    await (await people.throttle.admit(subject)).withdraw()
    await behind.throttle.admit(subject)
  })

  it('counts with numbers, not with text', async () => {
    await fail(3)
    const [row] = await people.storage.db.throttleCounter.findMany({
      where: { key: { startsWith: 'account' } },
    })
    expect(row?.failures).toBe(3)
  })

  it('says how long to wait, and longer each time', async () => {
    await fail(5)
    const waits: unknown[] = []
    for (let round = 0; round < 8; round += 1) {
      const error = await refusal()
      expect(error).toMatchObject({ code: 'throttle.too_many_attempts', status: 429 })
      waits.push(error.retryAfterSeconds)
      people.clock.advance(error.retryAfterSeconds - 1)
      expect(await refusal()).toMatchObject({ retryAfterSeconds: 1 })
      people.clock.advance(1)
      await people.throttle.admit(subject)
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900, 900])
  })

  it('does not let refused attempts prolong the wait', async () => {
    await fail(5)
    for (let time = 0; time < 20; time += 1) expect(await refusal()).toMatchObject({ retryAfterSeconds: 30 })
  })

  it('forgets failures some time after the last', async () => {
    await fail(4)
    people.clock.advance(3_600 + 900)
    await fail(5)
    expect(await refusal()).toMatchObject({ retryAfterSeconds: 30 })
  })

  it('forgets the failures of an account after a success', async () => {
    const { id } = await people.person({ username: 'anna' })
    await fail(4)
    await (await people.throttle.admit(subject)).succeeded(id)
    await fail(5)
    expect(await refusal()).toMatchObject({ retryAfterSeconds: 30 })
  })

  it('does not charge an address for attempts that succeed or were never verified', async () => {
    const { id } = await people.person({ username: 'anna' })
    for (let time = 0; time < 150; time += 1) {
      const admission = await people.throttle.admit({ ...subject, account: `account ${time}` })
      await (time % 2 === 0 ? admission.succeeded(id) : admission.withdraw())
    }
    await expect(people.throttle.admit(subject)).resolves.toBeDefined()
  })

  it('stops an address that tries many accounts, and no other address', async () => {
    for (let time = 0; time < 100; time += 1) await fail(1, { ...subject, account: `account ${time}` })
    expect(await refusal({ ...subject, account: 'another' })).toMatchObject({ retryAfterSeconds: 30 })
    expect(await refusal({ account: 'another', address: '192.0.2.2' })).toBeUndefined()
  })

  it('takes back no wait that others brought about meanwhile', async () => {
    const { id } = await people.person({ username: 'anna' })
    for (let time = 0; time < 98; time += 1) await fail(1, { ...subject, account: `account ${time}` })
    const succeeding = await people.throttle.admit(subject)
    await fail(1, { ...subject, account: 'the hundredth' })
    await succeeding.succeeded(id)
    expect(await refusal({ ...subject, account: 'another' })).toMatchObject({ retryAfterSeconds: 30 })
  })

  it('lets the owner in on a device he has used, whatever strangers do', async () => {
    const { id } = await people.person({ username: 'anna' })
    const own = { ...subject, userId: id, device: 'device of anna' }
    await (await people.throttle.admit(own)).succeeded(id)
    await fail(5)
    for (let time = 0; time < 100; time += 1)
      await fail(1, { ...subject, account: `account ${time}` }).catch(() => {})
    expect(await refusal({ ...subject, userId: id, device: 'another device' } as typeof own)).toMatchObject({
      status: 429,
    })
    await (await people.throttle.admit(own)).succeeded(id)
  })

  it('gives a known device an allowance of its own, and no more', async () => {
    const { id } = await people.person({ username: 'anna' })
    const own = { ...subject, userId: id, device: 'device of anna' }
    await (await people.throttle.admit(own)).succeeded(id)
    expect(await tally(Array.from({ length: 30 }, () => people.throttle.admit(own)))).toEqual({
      success: 10,
      'throttle.too_many_attempts': 20,
    })
  })

  it('does not know the device of one person as that of another', async () => {
    const anna = await people.person({ username: 'anna' })
    const ben = await people.person({ username: 'ben' })
    const device = 'device of ben'
    await (await people.throttle.admit({ account: 'ben', address: '192.0.2.9', device })).succeeded(ben.id)
    await fail(5)
    expect(await refusal({ ...subject, userId: anna.id, device } as typeof subject)).toMatchObject({
      status: 429,
    })
  })

  it('knows a device for each kind of proof apart, and for all of them by its new name', async () => {
    const { id } = await people.person({ username: 'anna' })
    const own = { ...subject, userId: id, device: 'device of anna' }
    const kinds = [undefined, 'second-factor', 'mailed-code'] as const
    const known = async (device: string) =>
      await Promise.all(
        kinds.map(async (kind) => {
          const admission = await people.throttle.admit({ ...own, device, ...(kind && { kind }) })
          await admission.withdraw()
          return admission.isKnown
        }),
      )
    for (const [index, kind] of kinds.entries()) {
      expect(await known(own.device)).toEqual(kinds.map((_, other) => other < index))
      await (await people.throttle.admit({ ...own, ...(kind && { kind }) })).succeeded(id)
    }
    await people.storage.transaction((db) => people.throttle.deviceRenamed(db, own.device, 'its new name'))
    expect(await known(own.device)).toEqual([false, false, false])
    expect(await known('its new name')).toEqual([true, true, true])
  })

  it('forgets a device that has long not been used, and those of a deleted person', async () => {
    const { id } = await people.person({ username: 'anna' })
    const own = { ...subject, userId: id, device: 'device of anna' }
    await (await people.throttle.admit(own)).succeeded(id)
    people.clock.advance(180 * 86_400 + 1)
    await fail(5)
    expect(await refusal(own)).toMatchObject({ status: 429 })
    await people.users.delete(id, change)
    expect(await people.storage.db.knownDevice.count()).toBe(0)
  })

  it('counts what is asked for apart from attempts, and for an account by address', async () => {
    const asking = { ...subject, asking: 'reset' } as const
    await fail(5, asking)
    expect(await refusal(asking)).toMatchObject({ status: 429 })
    expect(await refusal({ ...asking, asking: 'registration' })).toBeUndefined()
    expect(await refusal({ ...asking, address: '192.0.2.2' })).toBeUndefined()
    for (let time = 0; time < 100; time += 1)
      await fail(1, { ...asking, account: `account ${time}` } as typeof subject).catch(() => {})
    expect(await refusal({ ...asking, account: 'one more' })).toMatchObject({ status: 429 })
    expect(await refusal()).toBeUndefined()
  })

  it('stores neither what was typed nor addresses', async () => {
    await fail(1, { account: 'hunter2-typed-as-name', address: '192.0.2.1' })
    const keys = (await people.storage.db.throttleCounter.findMany()).map(({ key }) => key).join()
    expect(keys).not.toMatch(/hunter2|192\.0/)
  })

  it('removes what is over and nothing else', async () => {
    await fail(1, { account: 'old', address: '192.0.2.7' })
    people.clock.advance(4_000)
    await fail(1)
    people.clock.advance(1_000)
    const job = people.features.throttle.jobs?.find(({ name }) => name === 'throttle.remove_ended')
    expect(await job?.run()).toEqual({ more: false })
    expect(await people.storage.db.throttleCounter.count()).toBe(2)
  })
})

describe('the key of an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::9', '2001:db8:1:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['not an address', 'not an address'],
  ])('of %s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })
})
