import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isUniqueViolation, unavailable } from '../../src/storage/errors.ts'
import { createDatabase } from '../support/database.ts'
import { migrated, openTestStorage, type TestStorage } from '../support/storage.ts'

let storage: TestStorage
beforeEach(async () => {
  storage = await openTestStorage()
})
afterEach(() => storage[Symbol.asyncDispose]())

const insert = () => storage.statement('INSERT INTO revision (topic, value) VALUES (?, ?)')
const add = () => storage.statement('UPDATE revision SET value = value + ? WHERE topic = ?')
const topics = async () =>
  (await storage.db.revision.findMany({ orderBy: { topic: 'asc' } })).map(({ topic }) => topic)

it('gives each of many writes its own answer', async () => {
  await storage.db.revision.createMany({ data: ['a', 'b', 'c'].map((topic) => ({ topic, value: 0 })) })
  const raiseAbove = storage.statement('UPDATE revision SET value = value + 1 WHERE topic >= ?')
  const starts = ['a', 'b', 'c', 'd', 'c', 'b', 'a']
  expect(await Promise.all(starts.map((start) => raiseAbove.run(start)))).toEqual([3, 2, 1, 0, 1, 2, 3])
  expect(await storage.db.revision.findMany({ orderBy: { topic: 'asc' }, select: { value: true } })).toEqual(
    [2, 4, 6].map((value) => ({ value })),
  )
})

it('lets one of many win a conditional write', async () => {
  await insert().run('once', 0)
  const take = storage.statement('UPDATE revision SET value = ? WHERE topic = ? AND value = 0')
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => take.run(index + 1, 'once')))
  expect(answers.filter((changed) => changed === 1)).toHaveLength(1)
  const row = await storage.db.revision.findUniqueOrThrow({ where: { topic: 'once' } })
  expect(row.value).toBe(answers.indexOf(1) + 1)
})

it('does not let a failing write harm those beside it', async () => {
  await insert().run('there', 0)
  const orphan = storage.statement('INSERT INTO password (user_id, hash, changed_at) VALUES (?, ?, ?)')
  const outcomes = await Promise.allSettled([
    insert().run('first', 1),
    insert().run('there', 1),
    add().run(5, 'there'),
    orphan.run('nobody', 'x', new Date()),
    insert().run('last', 1),
    add().run(5, 'there'),
  ])
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed'))).toEqual([
    1,
    'failed',
    1,
    'failed',
    1,
    1,
  ])
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  expect(reasons.map(isUniqueViolation)).toEqual([true, false])
  expect(reasons.map(unavailable)).toEqual([undefined, undefined])
  expect(await topics()).toEqual(['first', 'last', 'there'])
  expect(await storage.db.revision.findUnique({ where: { topic: 'there' } })).toMatchObject({ value: 10 })
})

it('keeps its order with the writes of one caller', async () => {
  const set = storage.statement('UPDATE revision SET value = ? WHERE topic = ?')
  await insert().run('ordered', 0)
  for (let value = 1; value <= 20; value += 1) expect(await set.run(value, 'ordered')).toBe(1)
  expect(await storage.db.revision.findUnique({ where: { topic: 'ordered' } })).toMatchObject({ value: 20 })
})

it('reads what was answered', async () => {
  const select = storage.statement('SELECT value FROM revision WHERE topic = ?')
  await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      await insert().run(`topic ${index}`, index)
      expect(await select.rows(`topic ${index}`)).toEqual([[index]])
    }),
  )
})

it('is no part of a transaction that is open meanwhile', async () => {
  const inside = Promise.withResolvers<void>()
  const going = Promise.withResolvers<void>()
  const transaction = storage.transaction(async (db) => {
    await db.revision.create({ data: { topic: 'taken back', value: 1 } })
    inside.resolve()
    await going.promise
    throw new Error('taken back')
  })
  await inside.promise
  const writes = Promise.all(Array.from({ length: 20 }, (_, index) => insert().run(`kept ${index}`, index)))
  await setImmediate()
  await setImmediate()
  going.resolve()
  await expect(transaction).rejects.toThrow('taken back')
  expect(await writes).toEqual(Array(20).fill(1))
  expect(await topics()).toHaveLength(20)
  expect(await topics()).not.toContain('taken back')
})

it('has kept everything it answered when its process is killed', async () => {
  const script = fileURLToPath(new URL('../support/writing-process.ts', import.meta.url))
  for (let round = 0; round < 3; round += 1) {
    const database = await createDatabase(migrated)
    const child = spawn(process.execPath, [script, database.url], { stdio: ['ignore', 'pipe', 'inherit'] })
    const answered: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      answered.push(line)
      if (answered.length === 150 + round * 50) child.kill('SIGKILL')
    }
    if (child.signalCode === null && child.exitCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
    await using after = await openTestStorage(database)
    const kept = new Set((await after.db.revision.findMany()).map(({ topic }) => topic))
    expect(answered.length).toBeGreaterThanOrEqual(150)
    expect(answered.filter((topic) => !kept.has(topic))).toEqual([])
  }
})
