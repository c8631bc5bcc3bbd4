import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AppError } from '../../src/kernel/errors.ts'
import { unavailable } from '../../src/storage/errors.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { databaseKind } from '../support/database.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { openTestStorage, type TestStorage } from '../support/storage.ts'

const refusal = expect.objectContaining({ code: 'storage.unavailable', status: 503, retryAfterSeconds: 5 })
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => error,
  )
const read = 'SELECT topic, value FROM revision'
const write = `INSERT INTO revision (topic, value) VALUES ('written', 1)`

/** Every way in, once: through Prisma, by a statement, in a transaction. */
const allWays = (storage: Storage): Promise<unknown[]> =>
  Promise.all([
    outcome(storage.db.revision.create({ data: { topic: 'one', value: 1 } })),
    outcome(storage.statement(write).run()),
    outcome(storage.transaction((db) => db.revision.create({ data: { topic: 'two', value: 1 } }))),
  ])

describe('what is not the fault of the database', () => {
  let storage: TestStorage
  beforeEach(async () => {
    storage = await openTestStorage()
  })
  afterEach(() => storage[Symbol.asyncDispose]())

  it('is not taken for one', async () => {
    await storage.statement(write).run()
    const errors = await Promise.all([
      outcome(storage.statement(write).run()),
      outcome(storage.db.revision.create({ data: { topic: 'written', value: 1 } })),
      outcome(
        storage.db.revision.create({ data: { topic: 'x', value: 'not a number' as unknown as number } }),
      ),
      outcome(storage.db.revision.update({ where: { topic: 'missing' }, data: { value: 1 } })),
      outcome(storage.db.$queryRawUnsafe('SELEKT 1')),
      outcome(storage.db.$queryRawUnsafe('SELECT * FROM missing')),
      outcome(storage.statement(`INSERT INTO revision (topic) VALUES ('null')`).run()),
      outcome(storage.statement(`INSERT INTO password VALUES ('nobody', 'x', ?)`).run(new Date())),
      outcome(storage.transaction(() => Promise.reject(new TypeError('a bug')))),
      outcome(storage.transaction(() => Promise.reject(new AppError('users.taken', 409, 'Taken.')))),
    ])
    for (const error of errors) {
      expect(error).toBeInstanceOf(Error)
      expect([error, unavailable(error)]).toEqual([error, undefined])
    }
    for (const other of [undefined, null, 'P1001', 503, {}, new Error('P1001')]) {
      expect(unavailable(other)).toBeUndefined()
    }
    await storage.ping()
  })
})

if (databaseKind() === 'sqlite') {
  describe('a SQLite file', () => {
    let storage: TestStorage
    beforeEach(async () => {
      storage = await openTestStorage()
    })
    afterEach(() => storage[Symbol.asyncDispose]())

    it.each([
      ['cannot be written', 'PRAGMA query_only = ON', 'PRAGMA query_only = OFF'],
      ['has no room left', 'PRAGMA max_page_count = 1', 'PRAGMA max_page_count = 1000000'],
    ])('that %s is unavailable, and used again when it can be', async (_name, breaking, mending) => {
      const large = storage.statement('INSERT INTO artefact (model, id, payload) VALUES (?, ?, ?)')
      await storage.db.$queryRawUnsafe(breaking)
      const errors = await Promise.all([
        outcome(large.run('Grant', 'alone', 'x'.repeat(1_000_000))),
        outcome(
          storage.transaction((db) =>
            db.artefact.create({ data: { model: 'Grant', id: 'in', payload: 'x'.repeat(1_000_000) } }),
          ),
        ),
      ])
      expect(errors.map(unavailable)).toEqual([refusal, refusal])
      expect(await storage.statement(read).rows()).toEqual([])
      await storage.db.$queryRawUnsafe(mending)
      expect(await storage.db.artefact.count()).toBe(0)
      expect(await allWays(storage)).toEqual(['done', 'done', 'done'])
    })

    it('that another process keeps locked is unavailable, and used again when it lets go', async () => {
      const locker = new DatabaseSync(storage.url.slice('file:'.length))
      locker.exec('BEGIN IMMEDIATE')
      try {
        expect(
          unavailable(await outcome(storage.db.revision.create({ data: { topic: 'one', value: 1 } }))),
        ).toEqual(refusal)
        expect(await storage.statement(read).rows()).toEqual([])
      } finally {
        locker.close()
      }
      expect(await allWays(storage)).toEqual(['done', 'done', 'done'])
    })
  })
} else {
  const open = (databaseUrl: string, own: { poolSize?: number; timeoutMilliseconds?: number } = {}) =>
    openStorage({
      databaseUrl,
      dataFolder: '',
      synchronous: 'NORMAL',
      poolSize: 3,
      timeoutMilliseconds: 1_000,
      ...own,
    })

  it('a pool without a free connection is unavailable, and a statement that takes too long', async () => {
    await using database = await openTestStorage()
    const storage = await open(database.url, { poolSize: 1, timeoutMilliseconds: 400 })
    try {
      const slow = await outcome(storage.db.$queryRawUnsafe('SELECT pg_sleep(20)::text'))
      expect(unavailable(slow)).toEqual(refusal)
      expect(JSON.stringify(slow)).toContain('57014')
      const waited = await storage.transaction(() =>
        Promise.all([
          outcome(storage.db.revision.findMany()),
          outcome(storage.statement(read).rows()),
          outcome(storage.transaction((db) => db.revision.findMany())),
        ]),
      )
      expect(waited.map(unavailable)).toEqual([refusal, refusal, refusal])
      expect(await allWays(storage)).toEqual(['done', 'done', 'done'])
    } finally {
      await storage.close()
    }
  })

  describe('a PostgreSQL server', () => {
    let server: PostgresServer
    let storage: Storage
    beforeEach(async () => {
      server = await startPostgres()
      storage = await open((await server.createDatabase()).url)
    })
    afterEach(async () => {
      await storage.close()
      await server.close()
    })
    const recovers = () => vi.waitFor(() => storage.ping(), { timeout: 20_000, interval: 50 })

    it.each(['stop', 'kill'] as const)(
      'that is gone (%s) is unavailable, and used again when it is back',
      async (way) => {
        await server[way]()
        const errors = [...(await allWays(storage)), await outcome(storage.ping())]
        expect(errors.map(unavailable)).toEqual(Array(4).fill(refusal))
        const opening = await outcome(open(server.url))
        expect(unavailable(opening)).toEqual(refusal)
        await vi.waitFor(() => expect(storage.revision('keys')).toBeUndefined(), { timeout: 20_000 })
        await server.start()
        await recovers()
        expect(await allWays(storage)).toEqual(['done', 'done', 'done'])
        await vi.waitFor(() => expect(storage.revision('keys')).toBeDefined(), { timeout: 20_000 })
      },
    )

    it('that does not answer is unavailable in time, and used again when it does', async () => {
      await server.pause()
      const start = performance.now()
      const errors = await allWays(storage)
      expect(errors.map(unavailable)).toEqual([refusal, refusal, refusal])
      expect(performance.now() - start).toBeLessThan(20_000)
      await server.resume()
      await recovers()
      await vi.waitFor(async () => expect(await storage.db.revision.findMany()).toBeDefined(), {
        timeout: 20_000,
      })
    })
  })
}
