import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openHashing } from '../../src/features/passwords/hashing.ts'
import { settings } from '../../src/features/passwords/settings.ts'
import { defaultsOf } from '../support/people.ts'

const password = 'seven purple umbrellas'
const options = { ...defaultsOf(settings), concurrentHashes: 1, waitingHashes: 5 }

let threads: Worker[]
const onThread = (message: unknown): void => void threads.push((message as { worker: Worker }).worker)
beforeEach(() => {
  threads = []
  subscribe('worker_threads', onThread)
})
afterEach(async () => {
  unsubscribe('worker_threads', onThread)
  for (const thread of threads) await thread.terminate()
})

it('starts its thread at the first password, and keeps it for the next', async () => {
  const hashing = openHashing(options)
  expect(threads).toHaveLength(0)
  const hash = await hashing.hash(password)
  expect([await hashing.verify(password, hash), await hashing.verify('another', hash)]).toEqual([true, false])
  expect(await hashing.verify(password, undefined)).toBe(false)
  expect(threads).toHaveLength(1)
})

it('hashes as many at a time as it is told, and lets as many wait', async () => {
  const hashing = openHashing({ ...options, concurrentHashes: 2, waitingHashes: 3 })
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => hashing.hash(password)))
  expect(threads).toHaveLength(2)
  expect(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'hashed' : outcome.reason.code)),
  ).toEqual([...Array(5).fill('hashed'), ...Array(3).fill('passwords.busy')])
  expect(new Set(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value)).size).toBe(6)
  expect(hashing.hasRoom()).toBe(true)
})

it('answers with an error when its thread dies, whoever waited is served by another', async () => {
  const hashing = openHashing(options)
  const hash = await hashing.hash(password)
  const dying = hashing.verify(password, hash)
  const waiting = hashing.verify(password, hash)
  await threads[0]?.terminate()
  await expect(dying).rejects.toThrow(/thread .* ended/)
  expect(await waiting).toBe(true)
  expect(threads).toHaveLength(2)
  await threads[1]?.terminate()
  expect(await hashing.verify(password, hash)).toBe(true)
  expect(threads).toHaveLength(3)
})

it('answers with an error where the stored hash is damaged, and goes on', async () => {
  const hashing = openHashing(options)
  await expect(hashing.verify(password, '$argon2id$v=19$m=1')).rejects.toThrow(/Hashing failed/)
  expect(await hashing.verify(password, await hashing.hash(password))).toBe(true)
  expect(threads).toHaveLength(1)
})

it('leaves the event loop free', async () => {
  const hashing = openHashing({ ...options, argon2Passes: 12 })
  await hashing.hash(password)
  let over = false
  const hashed = hashing.hash(password).then(() => {
    over = true
  })
  let turns = 0
  while (!over) {
    turns += 1
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await hashed
  expect(turns).toBeGreaterThan(10)
})

it('ends its process when it has nothing to do', async () => {
  const script = `
    import { openHashing } from ${JSON.stringify(new URL('../../src/features/passwords/hashing.ts', import.meta.url).href)}
    const hash = await openHashing(${JSON.stringify(options)}).hash('${password}')
    console.log(hash)`
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 15_000,
  })
  expect((await run).stdout).toMatch(/^\$argon2id\$/)
})

if (process.platform === 'linux') {
  it('gives way to every other thread', async () => {
    await openHashing(options).hash(password)
    const folder = '/proc/self/task/'
    const niceness = readdirSync(folder).map((id) => {
      const fields = readFileSync(`${folder}${id}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return Number(fields[16])
    })
    expect(niceness.filter((each) => each === 10).length).toBeGreaterThan(0)
    const own = readFileSync(`/proc/self/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    expect(Number(own[16])).toBeLessThan(10)
  })
}
