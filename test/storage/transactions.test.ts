import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unavailable } from '../../src/storage/errors.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Database, DatabaseTransaction } from '../../src/storage/storage.ts'
import { databaseKind } from '../support/database.ts'
import { openTestStorage, type TestStorage } from '../support/storage.ts'

const topic = 'counted'
const increment = { where: { topic }, data: { value: { increment: 1 } } }
const valueIn = async (db: Database | DatabaseTransaction, name = topic): Promise<number | undefined> =>
  (await db.revision.findUnique({ where: { topic: name } }))?.value

describe('a transaction', () => {
  let storage: TestStorage
  beforeEach(async () => {
    storage = await openTestStorage()
    await storage.db.revision.create({ data: { topic, value: 0 } })
  })
  afterEach(() => storage[Symbol.asyncDispose]())

  /** Gives up after 500 ms of waiting and two seconds of work. */
  const impatient = () =>
    openStorage({
      databaseUrl: storage.url,
      dataFolder: '',
      synchronous: 'NORMAL',
      poolSize: 1,
      timeoutMilliseconds: 500,
    })

  it('gives back what its work gives, and keeps what it wrote', async () => {
    const answer = await storage.transaction(async (db) => {
      await db.revision.update(increment)
      return { value: await valueIn(db) }
    })
    expect(answer).toEqual({ value: 1 })
    expect(await valueIn(storage.db)).toBe(1)
  })

  it('leaves nothing of a work that throws, and throws the same', async () => {
    const reason = new Error('changed my mind')
    const work = storage.transaction(async (db) => {
      await db.revision.update(increment)
      await db.revision.create({ data: { topic: 'other', value: 1 } })
      throw reason
    })
    await expect(work).rejects.toBe(reason)
    expect([await valueIn(storage.db), await valueIn(storage.db, 'other')]).toEqual([0, undefined])
  })

  it('leaves nothing when a statement of it fails', async () => {
    const work = storage.transaction(async (db) => {
      await db.revision.update(increment)
      await db.revision.create({ data: { topic, value: 1 } })
    })
    await expect(work).rejects.toMatchObject({ code: 'P2002' })
    expect(await valueIn(storage.db)).toBe(0)
  })

  it('lets nothing in from outside: 50 in parallel, half of them taken back, between single writes', async () => {
    const write = storage.statement('UPDATE revision SET value = value + 100000 WHERE topic = ?')
    const step = async (db: DatabaseTransaction, fails: boolean) => {
      const before = (await valueIn(db)) ?? 0
      await setImmediate()
      await db.$queryRawUnsafe('SELECT 1')
      if (fails) throw new Error('taken back')
      return before
    }
    const transactions = Array.from({ length: 50 }, (_, index) =>
      storage.transaction(async (db) => {
        await db.revision.update(increment)
        return await step(db, index % 2 === 1)
      }),
    )
    const singles = Array.from({ length: 50 }, async (_, index) => {
      for (let turn = 0; turn < index % 5; turn += 1) await setImmediate()
      if (index % 2 === 0) return await write.run(topic)
      return (
        await storage.db.revision.updateMany({ where: { topic }, data: { value: { increment: 1_000 } } })
      ).count
    })
    const outcomes = await Promise.allSettled(transactions)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(25)
    expect(await Promise.all(singles)).toEqual(Array(50).fill(1))
    expect(await valueIn(storage.db)).toBe(25 + 25 * 1_000 + 25 * 100_000)
  })

  it('is seen by nobody before it is done', async () => {
    const seen: Promise<unknown>[] = []
    const reads = storage.statement('SELECT value FROM revision WHERE topic = ?')
    await storage
      .transaction(async (db) => {
        await db.revision.update(increment)
        seen.push(
          valueIn(storage.db),
          reads.rows(topic).then(([row]) => row?.[0]),
        )
        await setImmediate()
        await valueIn(db)
        throw new Error('taken back')
      })
      .catch(() => undefined)
    expect(await Promise.all(seen)).toEqual([0, 0])
  })

  it('is taken back when it takes too long, and then nothing of it can still be done', async () => {
    const short = await impatient()
    try {
      const started = Promise.withResolvers<void>()
      const hanging = Promise.withResolvers<void>()
      const late: unknown[] = []
      const work = short.transaction(async (db) => {
        await db.revision.update(increment)
        started.resolve()
        await hanging.promise
        late.push(await db.revision.update(increment).catch((error: unknown) => error))
      })
      await started.promise
      const addTen = short.statement('UPDATE revision SET value = value + 10 WHERE topic = ?')
      expect(await vi.waitFor(() => addTen.run(topic), { timeout: 20_000, interval: 10 })).toBe(1)
      hanging.resolve()
      const error = await work.catch((cause: unknown) => cause)
      expect([error, ...late].map((each) => unavailable(each)?.code)).toEqual(
        Array(2).fill('storage.unavailable'),
      )
      await short.transaction((db) => db.revision.update(increment))
      expect(await valueIn(short.db)).toBe(11)
    } finally {
      await short.close()
    }
  })

  it('that did not get its turn in time harms nobody', async () => {
    const short = await impatient()
    try {
      const holding = Promise.withResolvers<void>()
      const started = Promise.withResolvers<void>()
      const holder = short.transaction(async (db) => {
        await db.revision.update(increment)
        started.resolve()
        await holding.promise
      })
      await started.promise
      let ran = false
      const waiting = short.transaction(async () => {
        ran = true
      })
      const error = await waiting.catch((cause: unknown) => cause)
      expect(unavailable(error)?.status).toBe(503)
      holding.resolve()
      await holder
      await short.transaction((db) => db.revision.update(increment))
      await short.statement('UPDATE revision SET value = value + 10 WHERE topic = ?').run(topic)
      expect([ran, await valueIn(short.db)]).toEqual([false, 12])
    } finally {
      await short.close()
    }
  })

  if (databaseKind() === 'sqlite') {
    it('that waits for a statement outside of it ends with its time, and the statement is done', async () => {
      const short = await impatient()
      try {
        const work = short.transaction(async () => short.db.revision.update(increment))
        expect(unavailable(await work.catch((cause: unknown) => cause))?.status).toBe(503)
        expect(await valueIn(short.db)).toBe(1)
      } finally {
        await short.close()
      }
    })

    it('whose commit fails takes nothing of the others with it', async () => {
      const failing = (index: number) =>
        storage.transaction(async (db) => {
          await db.$executeRawUnsafe('PRAGMA defer_foreign_keys = ON')
          await db.$executeRawUnsafe(
            `INSERT INTO password VALUES ('nobody-${index}', 'x', '2026-01-01T00:00:00.000+00:00')`,
          )
        })
      const good = storage.statement('UPDATE revision SET value = value + 1 WHERE topic = ?')
      const failed = Array.from({ length: 10 }, (_, index) => failing(index).catch((error: unknown) => error))
      const written = Array.from({ length: 10 }, () => good.run(topic))
      const sound = Array.from({ length: 10 }, () =>
        storage.transaction((db) => db.revision.update(increment)),
      )
      for (const error of await Promise.all(failed)) expect(String(error)).toMatch(/foreign ?key/i)
      expect(await Promise.all(written)).toEqual(Array(10).fill(1))
      expect(await Promise.allSettled(sound)).toEqual(
        Array(10).fill(expect.objectContaining({ status: 'fulfilled' })),
      )
      expect([await valueIn(storage.db), await storage.db.password.count()]).toEqual([20, 0])
    })
  }
})
