import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAudit } from '../../src/features/audit/index.ts'
import { type Algorithm, algorithms, openSigningKeys } from '../../src/features/signing-keys/index.ts'
import { neededAtOnce } from '../../src/features/signing-keys/signing-keys.ts'
import { openSealing } from '../../src/kernel/sealing.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { keepingLog } from '../support/parties.ts'
import { openTestStorage, type TestStorage } from '../support/storage.ts'

describe('signing keys', () => {
  let storage: TestStorage
  let clock: FixedClock
  beforeEach(async () => {
    storage = await openTestStorage()
    clock = fixedClock()
  })
  afterEach(() => storage[Symbol.asyncDispose]())

  const settings = { rotationSeconds: 90 * 86_400, publishSeconds: 86_400, retentionSeconds: 30 * 86_400 }
  const openOn = (on: Storage, masterKey = Buffer.alloc(32, 7)) => {
    const { audit } = openAudit({
      storage: on,
      clock,
      log: keepingLog(),
      settings: { retentionSeconds: 86_400 },
    })
    const feature = openSigningKeys({ storage: on, clock, audit, sealing: openSealing(masterKey), settings })
    const command = async (words: string, input: Readonly<Record<string, unknown>> = {}) => {
      const found = feature.commands?.find((each) => each.words.join(' ') === words)
      if (found === undefined) throw new Error(words)
      return await found.run(input)
    }
    const job = async () => await feature.jobs?.[0]?.run()
    return { keys: feature.keys, command, job }
  }
  const states = async () =>
    (await storage.db.signingKey.findMany({ orderBy: { createdAt: 'asc' } }))
      .map(({ algorithm, state }) => `${algorithm} ${state}`)
      .toSorted()
  const each = (of: readonly Algorithm[], ...wanted: readonly string[]) =>
    of.flatMap((algorithm) => wanted.map((state) => `${algorithm} ${state}`)).toSorted()
  const kids = async (keys: ReturnType<typeof openOn>['keys']) =>
    (await keys.snapshot()).jwks.map(({ kid }) => kid)

  it('that leaked can be taken out of the key set, but not while they sign', async () => {
    const { keys, command } = openOn(storage)
    const [leaked = ''] = await kids(keys)
    await expect(command('keys remove', { kid: leaked })).rejects.toMatchObject({
      code: 'signing-keys.in_use',
      status: 409,
    })
    await expect(command('keys remove', { kid: 'no key' })).rejects.toMatchObject({
      code: 'signing-keys.unknown',
      status: 404,
    })
    await command('keys rotate', { immediately: true })
    expect(await kids(keys)).toContain(leaked)
    await command('keys remove', { kid: leaked })
    expect(await kids(keys)).not.toContain(leaked)
    expect((await kids(keys)).length).toBe(neededAtOnce.length + algorithms.length - 1)
  })

  it('that few ask for are made after the start, so that nobody waits for them', async () => {
    const { keys, job } = openOn(storage)
    await keys.snapshot()
    expect(await states()).toEqual(each(neededAtOnce, 'active'))
    await job()
    expect(await states()).toEqual(each(algorithms, 'active'))
    const { jwks } = await keys.snapshot()
    expect(jwks.map(({ alg, use, kty }) => [kty, use, alg])).toEqual(
      expect.arrayContaining([
        ['RSA', 'sig', 'PS256'],
        ['RSA', 'enc', 'RSA-OAEP-256'],
        ['EC', 'enc', undefined],
      ]),
    )
  })

  it('that decrypted are kept for what is on its way, and withdrawn from who encrypts', async () => {
    const { keys, job, command } = openOn(storage)
    await job()
    const before = (await keys.snapshot()).jwks.filter(({ use }) => use === 'enc').map(({ kid }) => kid)
    expect((await keys.snapshot()).withdrawn).toEqual([])
    await command('keys rotate', { immediately: true })
    const { jwks, withdrawn } = await keys.snapshot()
    expect(withdrawn.toSorted()).toEqual(before.toSorted())
    expect(jwks.map(({ kid }) => kid)).toEqual(expect.arrayContaining(before))
    clock.advance(30 * 86_400)
    await job()
    expect((await keys.snapshot()).withdrawn).toEqual([])
    expect((await kids(keys)).filter((kid) => before.includes(kid))).toEqual([])
  })

  it('are made once, though two processes start at once, and are the same for both', async () => {
    const processes = [openOn(storage), openOn(await storage.openAnother())]
    const snapshots = await Promise.all(
      Array.from({ length: 6 }, (_, index) => processes[index % 2]?.keys.snapshot()),
    )
    expect(await states()).toEqual(each(neededAtOnce, 'active'))
    expect(
      new Set(
        snapshots.map((snapshot) =>
          JSON.stringify([snapshot?.jwks, snapshot?.cookieKeys, snapshot?.dpopNonceSecret.toString('hex')]),
        ),
      ).size,
    ).toBe(1)
    expect(snapshots[0]?.dpopNonceSecret.length).toBe(32)
    expect(snapshots[0]?.cookieKeys.length).toBe(1)
    expect(await storage.db.serverSecret.count()).toBe(2)
  })

  it('are sealed, and open with their own master key alone', async () => {
    const { keys } = openOn(storage)
    const { jwks, cookieKeys, dpopNonceSecret } = await keys.snapshot()
    const stored = JSON.stringify([
      await storage.db.signingKey.findMany(),
      await storage.db.serverSecret.findMany(),
    ])
    for (const secret of [
      ...jwks.map(({ d }) => d ?? ''),
      ...cookieKeys,
      dpopNonceSecret.toString('base64url'),
    ]) {
      expect(secret.length).toBeGreaterThan(40)
      expect(stored).not.toContain(secret)
    }
    await expect(openOn(storage, Buffer.alloc(32, 8)).keys.snapshot()).rejects.toMatchObject({
      code: 'sealing.unreadable',
    })
    // A sealed key that is put into another row does not open either.
    const [one, other] = await storage.db.signingKey.findMany()
    await storage.db.signingKey.update({
      where: { kid: one?.kid ?? '' },
      data: { sealedJwk: other?.sealedJwk ?? '' },
    })
    await expect(keys.snapshot()).rejects.toMatchObject({ code: 'sealing.unreadable' })
  })

  it('rotate by their schedule: published, then signing, then verifying, then gone', async () => {
    const { keys, job } = openOn(storage)
    await keys.snapshot()
    await job()
    const [first] = await kids(keys)
    expect(await kids(keys)).toHaveLength(algorithms.length)
    clock.advance(89 * 86_400)
    await job()
    expect(await states()).toEqual(each(algorithms, 'active', 'next'))
    expect((await kids(keys))[0]).toBe(first)
    await job()
    expect(await storage.db.signingKey.count()).toBe(2 * algorithms.length)
    clock.advance(86_400)
    await job()
    expect(await states()).toEqual(each(algorithms, 'active', 'retired'))
    const after = await kids(keys)
    expect(after[0]).not.toBe(first)
    expect(after).toContain(first)
    clock.advance(30 * 86_400)
    await job()
    expect(await kids(keys)).not.toContain(first)
    expect(await states()).toEqual(each(algorithms, 'active'))
    const actions = (await storage.db.auditEvent.findMany()).map(({ action }) => action)
    expect([...new Set(actions)].toSorted()).toEqual([
      'signing-keys.activated',
      'signing-keys.created',
      'signing-keys.removed',
    ])
  })

  it('rotate once, though two processes do it at once', async () => {
    const processes = [openOn(storage), openOn(await storage.openAnother())]
    await processes[0]?.job()
    clock.advance(89 * 86_400)
    await Promise.all(processes.flatMap(({ job }) => [job(), job()]))
    expect(await storage.db.signingKey.count({ where: { state: 'next' } })).toBe(algorithms.length)
    clock.advance(86_400)
    await Promise.all(processes.flatMap(({ job }) => [job(), job()]))
    expect(await states()).toEqual(each(algorithms, 'active', 'retired'))
  })

  it('rotate by command, for one algorithm or all, later or at once, and tell the other process', async () => {
    const here = openOn(storage)
    const there = openOn(await storage.openAnother())
    await here.job()
    const published = await here.command('keys rotate', { algorithm: 'ES256' })
    expect(published.text).toContain('published')
    expect(await states()).toEqual([...each(algorithms, 'active'), 'ES256 next'].toSorted())
    // Asking again does not make a third.
    await here.command('keys rotate', { algorithm: 'ES256' })
    expect(await storage.db.signingKey.count()).toBe(algorithms.length + 1)
    const signing = (await kids(there.keys)).slice(0, algorithms.length)
    const immediately = await there.command('keys rotate', { immediately: true })
    expect(immediately.text).toContain('sign from now on')
    expect(await states()).toEqual(each(algorithms, 'active', 'retired'))
    const now = await kids(here.keys)
    expect(now.slice(0, algorithms.length).filter((kid) => signing.includes(kid))).toEqual([])
    expect(now).toEqual(expect.arrayContaining(signing))
    expect(JSON.stringify((await here.command('keys list')).json)).not.toMatch(/"d"|sealed/)
  })

  it('rotate once by command, though the next ones had waited their time already', async () => {
    const { keys, command, job } = openOn(storage)
    await job()
    clock.advance(89 * 86_400)
    await job()
    const published = await kids(keys)
    clock.advance(2 * 86_400)
    const later = await command('keys rotate')
    expect(later.text).toContain('published')
    expect(await kids(keys)).toEqual(published)
    await command('keys rotate', { immediately: true })
    expect(await states()).toEqual(each(algorithms, 'active', 'retired'))
    clock.advance(86_400)
    await job()
    const count = algorithms.length
    expect((await kids(keys)).slice(0, count).toSorted()).toEqual(published.slice(count).toSorted())
  })

  it('are made by command where there are none, and sign', async () => {
    const { command } = openOn(storage)
    await command('keys rotate', { algorithm: 'RS256', immediately: true })
    expect(await states()).toEqual(['RS256 active'])
  })

  it('of cookies rotate with one before them still valid', async () => {
    const { keys, command } = openOn(storage)
    const [first] = (await keys.snapshot()).cookieKeys
    await command('keys rotate-cookies')
    const [second, stillFirst] = (await keys.snapshot()).cookieKeys
    expect(stillFirst).toBe(first)
    expect(second).not.toBe(first)
    await command('keys rotate-cookies')
    const third = (await keys.snapshot()).cookieKeys
    expect(third).toHaveLength(2)
    expect(third).not.toContain(first)
    expect(third[1]).toBe(second)
  })

  it('move their revision when they change, and not otherwise', async () => {
    const { keys, job } = openOn(storage)
    const changes = async () => (await storage.db.revision.findUnique({ where: { topic: 'keys' } }))?.value
    await keys.snapshot()
    await job()
    const made = await changes()
    await job()
    await keys.snapshot()
    expect(await changes()).toBe(made)
    clock.advance(89 * 86_400)
    const before = keys.revision()
    await job()
    expect(await changes()).not.toBe(made)
    await expect.poll(() => keys.revision()).not.toBe(before)
  })
})
