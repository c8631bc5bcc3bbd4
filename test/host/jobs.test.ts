import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Job } from '../../src/features/feature.ts'
import { runJobs } from '../../src/host/jobs.ts'
import { openSealing } from '../../src/kernel/sealing.ts'
import { openArtefacts } from '../../src/provider/index.ts'
import { settings } from '../../src/provider/settings.ts'
import { openLeases } from '../../src/storage/leases.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { keepingLog } from '../support/parties.ts'
import { defaultsOf } from '../support/people.ts'
import { openTestStorage, type TestStorage } from '../support/storage.ts'

describe('jobs', () => {
  let storage: TestStorage
  let clock: FixedClock
  beforeEach(async () => {
    storage = await openTestStorage()
    clock = fixedClock()
  })
  afterEach(() => storage[Symbol.asyncDispose]())

  const lease = { everySeconds: 60, seconds: 120 }

  it('are leased to one of many processes, and to the next only when their time has come', async () => {
    const processes = await Promise.all(
      Array.from({ length: 6 }, async () => openLeases(await storage.openAnother(), clock)),
    )
    const takeAll = async () =>
      (await Promise.all(processes.map((leases) => leases.take('job', lease)))).filter(Boolean).length
    expect(await takeAll()).toBe(1)
    expect(await takeAll()).toBe(0)
    for (const leases of processes) await leases.finish('job')
    expect(await takeAll()).toBe(0)
    clock.advance(59)
    expect(await takeAll()).toBe(0)
    clock.advance(1)
    expect(await takeAll()).toBe(1)
    expect(await processes[0]?.take('another job', lease)).toBe(true)
  })

  it('whose process died are taken over when the lease is over', async () => {
    const dead = openLeases(storage, clock)
    const next = openLeases(await storage.openAnother(), clock)
    expect(await dead.take('job', lease)).toBe(true)
    clock.advance(119)
    expect(await next.take('job', lease)).toBe(false)
    clock.advance(1)
    expect(await next.take('job', lease)).toBe(true)
    await dead.finish('job') // too late: it is no longer the holder
    expect((await storage.db.jobLease.findUnique({ where: { name: 'job' } }))?.finishedAt).toBeNull()
  })

  it('run once though two processes run them', async () => {
    let runs = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    const once: Job = {
      name: 'once',
      everySeconds: 3_600,
      async run() {
        runs += 1
        if (runs === 3) resolve()
        return { more: runs < 3 }
      },
    }
    const runners = [
      runJobs([once], { leases: openLeases(storage, clock), log: keepingLog() }),
      runJobs([once], { leases: openLeases(await storage.openAnother(), clock), log: keepingLog() }),
    ]
    await promise
    await Promise.all(runners.map((runner) => runner.stop()))
    expect(runs).toBe(3) // its three batches, by one of the two
  })

  it('that fail are logged and tried again', async () => {
    const log = keepingLog()
    const { promise, resolve } = Promise.withResolvers<void>()
    let runs = 0
    const job: Job = {
      name: 'flaky',
      everySeconds: 0.001,
      async run() {
        runs += 1
        clock.advance(200)
        if (runs === 1) throw new Error('the first time it fails')
        resolve()
        return { more: false }
      },
    }
    const runner = runJobs([job], { leases: openLeases(storage, clock), log })
    await promise
    await runner.stop()
    expect(log.lines[0]).toMatchObject({
      message: 'a background job failed and will be tried again',
      fields: { job: 'flaky' },
    })
  })

  it('whose leases cannot be had are tried again too', async () => {
    const log = keepingLog()
    const { promise, resolve } = Promise.withResolvers<void>()
    let asked = 0
    const leases = {
      async take() {
        asked += 1
        if (asked === 1) throw new Error('the database is away')
        return true
      },
      finish: async () => {},
      release: async () => {},
    }
    const run = async () => {
      resolve()
      return { more: false }
    }
    const runner = runJobs([{ name: 'job', everySeconds: 0.001, run }], { leases, log })
    await promise
    await runner.stop()
    expect(log.lines.length).toBe(1)
  })

  it('stop at once while they wait, and after the batch under way', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    let batches = 0
    const endless: Job = {
      name: 'endless',
      everySeconds: 3_600,
      async run() {
        batches += 1
        begin()
        await released
        return { more: true }
      },
    }
    const idle: Job = { name: 'idle', everySeconds: 3_600, run: async () => ({ more: false }) }
    const runner = runJobs([endless, idle], { leases: openLeases(storage, clock), log: keepingLog() })
    await begun
    const started = performance.now()
    const stopped = runner.stop()
    release()
    await stopped
    expect(batches).toBe(1)
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  describe('that remove what has expired', () => {
    const sealing = openSealing(Buffer.alloc(32, 7))

    it('take it in bounded batches and leave what lives, lately expired or without an end', async () => {
      const artefacts = openArtefacts({
        storage,
        clock,
        sealing,
        settings: defaultsOf(settings),
        sessionsEnded: async () => undefined,
      })
      const now = clock.now().getTime()
      const row = (id: string, model: string, expiresAt: Date | null) => ({
        model,
        id,
        payload: '{}',
        createdAt: clock.now(),
        expiresAt,
      })
      const ago = (seconds: number) => new Date(now - seconds * 1000)
      await storage.db.artefact.createMany({
        data: Array.from({ length: 1_100 }, (_, index) =>
          row(`old-${index}`, index % 2 === 0 ? 'AccessToken' : 'Interaction', ago(86_401 + index)),
        ),
      })
      const kept = [
        row('live', 'AccessToken', ago(-60)),
        row('just-expired', 'AuthorizationCode', ago(60)),
        row('edge', 'Grant', ago(86_400)),
        row('endless', 'Client', null),
        row('old-0', 'Session', ago(-60)),
      ]
      await storage.db.artefact.createMany({ data: kept })
      const left: number[] = []
      while (await artefacts.removeExpired()) left.push(await storage.db.artefact.count())
      expect(left).toEqual([605, 105])
      const rows = await storage.db.artefact.findMany({
        orderBy: { id: 'asc' },
        select: { id: true, model: true },
      })
      expect(rows.map(({ id }) => id)).toEqual(kept.map(({ id }) => id).toSorted())
      expect(rows.find(({ id }) => id === 'old-0')?.model).toBe('Session')
    })
  })
})
