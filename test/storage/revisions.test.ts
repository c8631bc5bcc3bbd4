import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openStorage } from '../../src/storage/open.ts'
import { openRevisionedCache } from '../../src/storage/revisioned-cache.ts'
import { keptChanges, type Storage } from '../../src/storage/storage.ts'
import { databaseKind } from '../support/database.ts'
import { queryOn } from '../support/postgres-databases.ts'
import { openTestStorage, type TestStorage } from '../support/storage.ts'

let storage: TestStorage
let other: Storage
const patience = { timeout: 10_000, interval: 5 }

beforeEach(async () => {
  storage = await openTestStorage()
  other = await openStorage({
    databaseUrl: storage.url,
    dataFolder: '',
    synchronous: 'NORMAL',
    poolSize: 2,
    timeoutMilliseconds: 5_000,
  })
})
afterEach(async () => {
  await other.close()
  await storage[Symbol.asyncDispose]()
})

const change = (from: Storage = storage) => from.transaction((db) => from.touch(db, 'clients'))

it('moves with each change of its topic, and of no other topic', async () => {
  const before = other.revision('clients')
  const keys = other.revision('keys')
  await change()
  await vi.waitFor(() => expect(other.revision('clients')).not.toBe(before), patience)
  const after = other.revision('clients')
  expect(after).toBeGreaterThan(before ?? Number.NaN)
  expect(other.revision('keys')).toBe(keys)
  await change()
  await vi.waitFor(() => expect(other.revision('clients')).toBeGreaterThan(after ?? Number.NaN), patience)
})

it('has moved for the process that made the change when its transaction is over', async () => {
  for (let round = 0; round < 30; round += 1) {
    let before: number | undefined
    await storage.transaction(async (db) => {
      await storage.touch(db, 'clients')
      await db.$queryRawUnsafe('SELECT 1')
      before = storage.revision('clients')
    })
    expect(storage.revision('clients')).not.toBe(before)
  }
})

it('does not move for a change that was taken back', async () => {
  const work = storage.transaction(async (db) => {
    await storage.touch(db, 'clients')
    throw new Error('taken back')
  })
  const before = other.revision('clients')
  await expect(work).rejects.toThrow('taken back')
  await storage.transaction((db) => storage.touch(db, 'users'))
  const users = other.revision('users')
  await storage.transaction((db) => storage.touch(db, 'users'))
  await vi.waitFor(() => expect(other.revision('users')).toBeGreaterThan(users ?? Number.NaN), patience)
  expect(other.revision('clients')).toBe(before)
})

it('counts every one of many changes at once, from two processes', async () => {
  const crowd = Array.from({ length: 20 }, () => change())
  await Promise.all(crowd)
  if (databaseKind() === 'postgresql')
    await Promise.all(Array.from({ length: 20 }, (_, i) => change(i % 2 === 0 ? storage : other)))
  else for (let round = 0; round < 20; round += 1) await change(round % 2 === 0 ? storage : other)
  const row = await storage.db.revision.findUniqueOrThrow({ where: { topic: 'clients' } })
  expect(row.value).toBe(40)
})

describe('what has changed', () => {
  const changeOf = (key: string | undefined, from: Storage = storage) =>
    from.transaction((db) => from.touch(db, 'clients', key))
  const now = (of: Storage): number => of.revision('clients') ?? Number.NaN
  const firstChange = async (): Promise<void> => {
    const before = now(other)
    await changeOf('first')
    await vi.waitFor(() => expect(now(other)).toBeGreaterThan(before), patience)
  }
  /** What has changed, once all of it is known. A process can hear of a change of its own a second time. */
  const expectChanged = async (of: Storage, since: number, keys: readonly string[]) =>
    await vi.waitFor(() => {
      now(of)
      const changed = [...(of.changedSince('clients', since) ?? [])].filter((key) => key !== 'first')
      expect(changed.toSorted()).toEqual(keys)
    }, patience)
  const expectUnknown = async (of: Storage, since: number) => {
    await vi.waitFor(() => expect(now(of)).toBeGreaterThan(since), patience)
    await vi.waitFor(() => expect(of.changedSince('clients', since)).toBeUndefined(), patience)
  }

  it('is known in every process, by its keys', async () => {
    await firstChange()
    const [here, there] = [now(storage), now(other)]
    await changeOf('a/b')
    await changeOf('https://app.example.test/client?x=/0000000001/')
    await changeOf('a/b')
    const keys = ['a/b', 'https://app.example.test/client?x=/0000000001/']
    await expectChanged(storage, here, keys)
    await expectChanged(other, there, keys)
    expect(other.changedSince('keys', other.revision('keys') ?? 0)).toEqual(new Set())
  })

  it('is not known where one of them was about the whole topic, until the next ones', async () => {
    await firstChange()
    const [here, there] = [now(storage), now(other)]
    await changeOf('a')
    await changeOf(undefined)
    await changeOf('b')
    await expectUnknown(storage, here)
    await expectUnknown(other, there)
  })

  it('is nothing that was taken back', async () => {
    await firstChange()
    const there = now(other)
    const work = storage.transaction(async (db) => {
      await storage.touch(db, 'clients', 'never')
      throw new Error('taken back')
    })
    await expect(work).rejects.toThrow('taken back')
    await changeOf('a')
    await expectChanged(other, there, ['a'])
    const rows = await storage.db.revision.findMany()
    expect(rows.filter(({ topic }) => topic.includes('never'))).toEqual([])
  })

  it('is known of so many, and nothing is left of those before them', async () => {
    await changeOf('first')
    const here = now(storage)
    await storage.transaction(async (db) => {
      for (let change = 0; change <= keptChanges; change += 1) await storage.touch(db, 'clients', `${change}`)
    })
    await expectUnknown(storage, here)
    expect((await storage.db.revision.count()) <= keptChanges + 1).toBe(true)
    expect(storage.changedSince('clients', now(storage))).toEqual(new Set())
  })

  it('is not known since a revision that is yet to come', async () => {
    await changeOf('a')
    expect(storage.changedSince('clients', now(storage) + 10)).toBeUndefined()
  })
})

if (databaseKind() === 'postgresql') {
  const listeners = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'latchkey revisions'`
  const cutListeners = () =>
    queryOn(storage.url, `SELECT pg_terminate_backend(pid) FROM (${listeners}) AS listening`)

  it('moves also when the announcement was lost', async () => {
    await storage.transaction((db) => storage.touch(db, 'clients'))
    const before = other.revision('clients')
    await queryOn(storage.url, `UPDATE revision SET value = value + 1 WHERE topic = 'clients'`)
    await vi.waitFor(() => expect(other.revision('clients')).not.toBe(before), patience)
    expect(other.changedSince('clients', before ?? 0)).toBeUndefined()
  })

  it('is heard from a process of an older version, which does not say what has changed', async () => {
    const before = other.revision('clients') ?? 0
    await queryOn(storage.url, `SELECT pg_notify('latchkey_revision', 'clients')`)
    await vi.waitFor(() => expect(other.revision('clients')).toBeGreaterThan(before), patience)
    expect(other.changedSince('clients', before)).toBeUndefined()
  })

  it('is unknown while the listening connection is silent, though it has not ended', async () => {
    expect(other.revision('clients')).toBeTypeOf('number')
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const silenced = storage.transaction(async (db) => {
      await db.$executeRawUnsafe('LOCK TABLE revision IN ACCESS EXCLUSIVE MODE')
      await released
    })
    await vi.waitFor(() => expect(other.revision('clients')).toBeUndefined(), patience)
    release()
    await silenced
    await vi.waitFor(() => expect(other.revision('clients')).toBeTypeOf('number'), patience)
  })

  it('is unknown while the listening connection is down, and then serves nothing from before', async () => {
    await storage.db.resource.create({ data: { id: 'api', indicator: 'https://api.example', name: 'old' } })
    const cache = openRevisionedCache<{ readonly name: string }>(() => other.revision('resources'))
    const nameOf = async () => {
      const load = async () => (await other.db.resource.findUnique({ where: { id: 'api' } })) ?? undefined
      return (await cache.get('api', load))?.name
    }
    expect(await nameOf()).toBe('old')
    const before = other.revision('resources')
    expect(await cutListeners()).toHaveLength(2)
    await vi.waitFor(() => expect(other.revision('resources')).toBeUndefined(), patience)
    await storage.transaction(async (db) => {
      await db.resource.update({ where: { id: 'api' }, data: { name: 'new' } })
      await storage.touch(db, 'resources')
    })
    expect(await nameOf()).toBe('new')
    await vi.waitFor(() => expect(other.revision('resources')).toBeDefined(), patience)
    expect(other.revision('resources')).not.toBe(before)
    expect(other.changedSince('resources', before ?? 0)).toBeUndefined()
    expect(await nameOf()).toBe('new')
    const reconnected = other.revision('resources')
    await storage.transaction((db) => storage.touch(db, 'resources'))
    await vi.waitFor(() => expect(other.revision('resources')).not.toBe(reconnected), patience)
  })

  it('leaves no connection behind when it is closed while it waits to reconnect', async () => {
    const another = await openStorage({
      databaseUrl: storage.url,
      dataFolder: '',
      synchronous: 'NORMAL',
      poolSize: 1,
      timeoutMilliseconds: 5_000,
    })
    await cutListeners()
    await vi.waitFor(() => expect(another.revision('keys')).toBeUndefined(), patience)
    await another.close()
    for (const each of [storage, other]) {
      await vi.waitFor(
        async () => expect(await queryOn(storage.url, listeners)).not.toHaveLength(0),
        patience,
      )
      await vi.waitFor(() => expect(each.revision('keys')).toBeDefined(), patience)
    }
    await vi.waitFor(async () => expect(await queryOn(storage.url, listeners)).toHaveLength(2), patience)
  })
}
