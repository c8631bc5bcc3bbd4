import { afterAll, beforeAll, expect, it } from 'vitest'
import { isUniqueViolation, unavailable, violatedColumns } from '../../src/storage/errors.ts'
import { openTestStorage, type TestStorage } from '../support/storage.ts'

let storage: TestStorage
beforeAll(async () => {
  storage = await openTestStorage()
})
afterAll(() => storage[Symbol.asyncDispose]())

let count = 0
const newId = (): string => {
  count += 1
  return `row-${count}`
}
const user = (own: object = {}) => storage.db.user.create({ data: { id: newId(), ...own } })
const reject = (work: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(work).then(
    () => expect.unreachable('it should have been refused'),
    (error: unknown) => error,
  )

it('gives back what it was given', async () => {
  const given = {
    id: newId(),
    email: null,
    name: '',
    searchText: 'Grüße, 你好, \u{1f511}\u{10ffff}, "quoted", \\backslash\\, \'; DROP TABLE "user"; --\t\r\n',
    emailVerified: true,
    administrator: false,
    disabledAt: new Date('2026-11-22T23:59:59.999Z'),
    createdAt: new Date('1969-12-31T23:59:59.001Z'),
    updatedAt: new Date('9999-12-31T00:00:00.100Z'),
  }
  await storage.db.user.create({ data: given })
  const row = await storage.db.user.findUniqueOrThrow({ where: { id: given.id } })
  expect(row).toEqual(expect.objectContaining(given))
  expect(row.disabledAt).toBeInstanceOf(Date)
  expect([row.locale, row.username, row.emailKey]).toEqual([null, null, null])
})

it('fills in what the models say', async () => {
  const before = Date.now()
  const row = await user()
  expect(row).toMatchObject({ emailVerified: false, administrator: false, searchText: '', disabledAt: null })
  for (const at of [row.createdAt, row.updatedAt]) {
    expect(at.getTime()).toBeGreaterThanOrEqual(before)
    expect(at.getTime()).toBeLessThanOrEqual(Date.now())
  }
})

it('keeps whole numbers to their limits, and the large ones exactly', async () => {
  const artefact = await storage.db.artefact.create({
    data: { model: 'Session', id: newId(), payload: '{}', version: 2_147_483_647 },
  })
  expect(artefact.version).toBe(2_147_483_647)
  const allowedAt = BigInt(Number.MAX_SAFE_INTEGER)
  const counter = { key: newId(), failures: -1, allowedAt, windowEndsAt: -allowedAt }
  await storage.db.throttleCounter.create({ data: counter })
  expect(await storage.db.throttleCounter.findUnique({ where: { key: counter.key } })).toEqual(counter)
})

it('keeps a text of a megabyte', async () => {
  const payload = 'é\u{1f511}x'.repeat(150_000)
  const { id } = await storage.db.artefact.create({ data: { model: 'Grant', id: newId(), payload } })
  const row = await storage.db.artefact.findUniqueOrThrow({ where: { model_id: { model: 'Grant', id } } })
  expect(row.payload === payload).toBe(true)
})

it('keeps a NUL character whole or refuses it, and is no less available for that', async () => {
  const name = 'before\0after'
  const outcome = await user({ name }).catch((error: unknown) => error)
  if (storage.dialect === 'sqlite') expect(outcome).toMatchObject({ name })
  else expect(outcome).toBeInstanceOf(Error)
  expect(unavailable(outcome)).toBeUndefined()
  await storage.ping()
})

it('compares instants at the millisecond', async () => {
  const at = new Date('2026-03-01T12:00:00.100Z')
  const move = (milliseconds: number) => new Date(at.getTime() + milliseconds)
  const { id } = await user({ disabledAt: at })
  const matches = async (disabledAt: object) =>
    (await storage.db.user.count({ where: { id, disabledAt } })) === 1
  expect(await matches({ lte: at })).toBe(true)
  expect(await matches({ lt: at })).toBe(false)
  expect(await matches({ lt: move(1) })).toBe(true)
  expect(await matches({ gt: move(-1) })).toBe(true)
  expect(await matches({ gt: at })).toBe(false)
  expect(await matches({ equals: at })).toBe(true)
  expect(await matches({ equals: move(1) })).toBe(false)
})

it('answers a statement alike on both', async () => {
  const at = new Date('2026-03-01T12:00:00.100Z')
  const { id } = await user({ disabledAt: at, administrator: true })
  await storage.db.throttleCounter.create({
    data: { key: id, failures: 7, allowedAt: 1_700_000_000_123n, windowEndsAt: 0n },
  })
  const people = storage.statement(
    'SELECT id, name, administrator, email_verified, disabled_at FROM "user" WHERE id = ? AND disabled_at <= ? AND administrator = ?',
  )
  expect(await people.rows(id, at, true)).toEqual([[id, null, true, false, '2026-03-01T12:00:00.100Z']])
  expect(await people.rows(id, new Date(at.getTime() - 1), true)).toEqual([])
  expect(await people.rows(id, at, false)).toEqual([])
  const counters = storage.statement(
    'SELECT failures, allowed_at FROM throttle_counter WHERE key = ? AND failures = ?',
  )
  expect(await counters.rows(id, 7)).toEqual([[7, 1_700_000_000_123]])
  const rename = storage.statement('UPDATE "user" SET name = ?, disabled_at = ? WHERE id = ?')
  expect(await rename.run(null, null, id)).toBe(1)
  expect(await rename.run('?', at, 'nobody')).toBe(0)
  expect(await storage.db.user.findUnique({ where: { id } })).toMatchObject({ name: null, disabledAt: null })
})

it('sorts text by code points', async () => {
  const ids = ['z', 'Z', 'a', 'é', 'Ä', '_', '10', '9'].map((id) => `sorted ${id}`)
  await storage.db.user.createMany({ data: ids.map((id) => ({ id })) })
  const rows = await storage.db.user.findMany({
    where: { id: { startsWith: 'sorted ' } },
    orderBy: { id: 'asc' },
  })
  expect(rows.map(({ id }) => id)).toEqual(ids.toSorted())
})

it('reports a value that must be unique and names the column', async () => {
  await user({ emailKey: 'ada@example.test' })
  const error = await reject(user({ emailKey: 'ada@example.test' }))
  expect(isUniqueViolation(error)).toBe(true)
  expect(violatedColumns(error)).toMatch(/email_?key/i)
  expect(violatedColumns(error)).not.toMatch(/username/i)
  expect(unavailable(error)).toBeUndefined()
  const key = { data: { id: newId() } }
  await storage.db.user.create(key)
  expect(isUniqueViolation(await reject(storage.db.user.create(key)))).toBe(true)
  const insert = storage.statement('INSERT INTO revision (topic, value) VALUES (?, ?)')
  await insert.run('twice', 1)
  expect(isUniqueViolation(await reject(insert.run('twice', 1)))).toBe(true)
})

it('holds rows to those they belong to, and removes them together', async () => {
  const orphan = { userId: 'nobody', hash: 'x', changedAt: new Date() }
  const error = await reject(storage.db.password.create({ data: orphan }))
  expect(error).toMatchObject({ code: 'P2003' })
  expect(isUniqueViolation(error)).toBe(false)
  expect(unavailable(error)).toBeUndefined()

  const { id } = await user({ password: { create: { hash: 'x', changedAt: new Date() } } })
  await storage.db.knownDevice.create({ data: { userId: id, deviceHash: 'y', expiresAt: new Date() } })
  await storage.statement('DELETE FROM "user" WHERE id = ?').run(id)
  expect(await storage.db.password.count({ where: { userId: id } })).toBe(0)
  expect(await storage.db.knownDevice.count({ where: { userId: id } })).toBe(0)
})
