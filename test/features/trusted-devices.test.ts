import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Visit } from '../../src/features/feature.ts'
import { openTrustedDevices } from '../../src/features/trusted-devices/index.ts'
import { hashSecret, newSecret, type UserId } from '../../src/kernel/ids.ts'
import { openPeople, type People, request, tally } from '../support/people.ts'

const month = 30 * 86_400
/** Which one it is matters to `attempts` alone. */
const attempt = 'a sign-in'
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0'

describe('a trusted browser', () => {
  let people: People
  let anna: string
  let ben: string
  beforeEach(async () => {
    people = await openPeople()
    anna = (await people.person({ username: 'anna' })).id
    ben = (await people.person({ username: 'ben' })).id
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const open = (trustSeconds = month, storage = people.storage) =>
    openTrustedDevices({
      storage,
      clock: people.clock,
      audit: people.audit,
      attempts: { requireOpen: async () => {} },
      settings: { trustSeconds },
      renamed: people.throttle.deviceRenamed,
      describeBrowser: async (userAgent) => ({ browser: userAgent }),
    })

  const visitOf = (userId: string, device?: string): Visit =>
    ({ userId, request, locale: 'en', ...(device !== undefined && { device }) }) as Visit

  it('is trusted by its person until the time is over', async () => {
    const { trustedDevices } = open()
    const device = await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    expect(await trustedDevices.isTrusted(anna, device)).toBe(true)
    people.clock.advance(month - 1)
    expect(await trustedDevices.isTrusted(anna, device)).toBe(true)
    people.clock.advance(1)
    expect(await trustedDevices.isTrusted(anna, device)).toBe(false)
    expect(await trustedDevices.list(anna)).toEqual([])
  })

  it('is not prolonged by its use', async () => {
    const { trustedDevices } = open()
    const device = await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    for (const _use of [1, 2, 3]) {
      people.clock.advance(month / 3)
      await trustedDevices.isTrusted(anna, device)
    }
    expect(await trustedDevices.isTrusted(anna, device)).toBe(false)
  })

  it('is trusted for one person, whoever else uses it', async () => {
    const { trustedDevices } = open()
    const device = await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    expect(await trustedDevices.isTrusted(ben, device)).toBe(false)
    const next = await trustedDevices.remember({ userId: ben, attempt, device, request })
    expect(await trustedDevices.isTrusted(anna, next)).toBe(true)
    expect(await trustedDevices.isTrusted(ben, next)).toBe(true)
    expect(await trustedDevices.list(anna)).toHaveLength(1)
  })

  it('gets a new name, so that a copy of its cookie from before gains nothing', async () => {
    const { trustedDevices } = open()
    const copied = newSecret()
    const device = await trustedDevices.remember({ userId: anna, attempt, device: copied, request })
    expect(device).not.toBe(copied)
    expect(await trustedDevices.isTrusted(anna, copied)).toBe(false)
    const next = await trustedDevices.remember({ userId: ben, attempt, device, request })
    expect(await trustedDevices.isTrusted(anna, device)).toBe(false)
    expect(await trustedDevices.isTrusted(anna, next)).toBe(true)
  })

  it('stays one that its people have used before, under its new name', async () => {
    await people.person({ username: 'cleo' }, 'a password of hers 1')
    const before = newSecret()
    await people.signIn('cleo', 'a password of hers 1', { device: before })
    const { trustedDevices } = open()
    const device = await trustedDevices.remember({ userId: anna, attempt, device: before, request })
    const known = await people.storage.db.knownDevice.findMany()
    expect(known.map(({ deviceHash }) => deviceHash)).toEqual([hashSecret(device)])
  })

  it('is not trusted where its cookies were cleared, guessed or made up', async () => {
    const { trustedDevices } = open()
    await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    for (const device of [newSecret(), '', '\0', 'x'.repeat(5_000)])
      expect(await trustedDevices.isTrusted(anna, device)).toBe(false)
  })

  it('is stored under a hash alone', async () => {
    const { trustedDevices } = open()
    const device = await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    const rows = JSON.stringify(await people.storage.db.trustedDevice.findMany())
    expect(rows).not.toContain(device)
    expect(rows).toContain(hashSecret(device))
  })

  it('is forgotten with a change of credentials, in its transaction', async () => {
    const { trustedDevices } = open()
    const device = await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    const undone = people.storage.transaction(async (db) => {
      await trustedDevices.forgetAll(db, anna)
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await trustedDevices.isTrusted(anna, device)).toBe(true)
    await people.storage.transaction((db) => trustedDevices.forgetAll(db, anna))
    expect(await trustedDevices.isTrusted(anna, device)).toBe(false)
  })

  it('counts no longer than a time that was shortened since, and not at all where it is 0', async () => {
    const device = await open().trustedDevices.remember({
      userId: anna,
      attempt,
      device: newSecret(),
      request,
    })
    people.clock.advance(86_400)
    expect(await open(2 * 86_400).trustedDevices.isTrusted(anna, device)).toBe(true)
    expect(await open(86_400).trustedDevices.isTrusted(anna, device)).toBe(false)
    const { trustedDevices } = open(0)
    expect(trustedDevices.offered).toBe(false)
    expect(await trustedDevices.isTrusted(anna, device)).toBe(false)
    const own = newSecret()
    expect(await trustedDevices.remember({ userId: anna, attempt, device: own, request })).toBe(own)
    expect(await people.storage.db.trustedDevice.count()).toBe(1)
  })

  it('is remembered once, however many tabs ask in two processes', async () => {
    const features = [open(), open(month, (await people.openAnother()).storage)]
    const device = newSecret()
    const asked = Array.from({ length: 20 }, (_, index) =>
      features[index % 2]?.trustedDevices.remember({ userId: anna, attempt, device, request }),
    )
    const names = (await Promise.all(asked)).map(String)
    expect(new Set(names).size).toBe(20)
    const { trustedDevices } = open()
    expect(await trustedDevices.list(anna)).toHaveLength(1)
    const trusted = await Promise.all(names.map((name) => trustedDevices.isTrusted(anna, name)))
    expect(trusted.filter((each) => each)).toHaveLength(1)
  })

  it('is taken back by its person alone, and once', async () => {
    const { trustedDevices } = open()
    const device = await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    const [{ id } = { id: '' }] = await trustedDevices.list(anna)
    await expect(trustedDevices.revoke(ben, id, request)).rejects.toMatchObject({
      code: 'trusted-devices.not_found',
    })
    expect(await trustedDevices.isTrusted(anna, device)).toBe(true)
    const attempts = Array.from({ length: 20 }, () => trustedDevices.revoke(anna, id, request))
    expect(await tally(attempts)).toEqual({ success: 1, 'trusted-devices.not_found': 19 })
    expect(await trustedDevices.isTrusted(anna, device)).toBe(false)
    const events = await people.storage.db.auditEvent.findMany({
      where: { action: 'trusted-devices.revoked', userId: anna },
    })
    expect(events).toHaveLength(1)
  })

  it('is shown to its person with what it is, marked where it is the one at hand', async () => {
    const { trustedDevices, panels } = open()
    const [panel] = panels ?? []
    expect(await panel?.show(visitOf(anna))).toBeUndefined()
    const device = await trustedDevices.remember({
      userId: anna,
      attempt,
      device: newSecret(),
      request: { ...request, userAgent: firefox },
    })
    await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    const view = await panel?.show(visitOf(anna, device))
    expect(view?.template).toBe('trusted-devices/panel')
    expect(view?.model.devices).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ own: true, device: { browser: firefox } }),
        expect.objectContaining({ own: false }),
      ]),
    )
    expect(JSON.stringify(view)).not.toContain(hashSecret(device))
  })

  it('is taken back on the page only by what the page gave', async () => {
    const { trustedDevices, panels } = open()
    const revoke = panels?.[0]?.acts?.revoke
    const device = await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    const forms: readonly Record<string, string>[] = [
      {},
      { device: '' },
      { device: '\0' },
      { device: hashSecret(device) },
    ]
    for (const form of forms)
      await expect(revoke?.run(visitOf(anna), form)).rejects.toMatchObject({
        code: 'trusted-devices.not_found',
      })
    const [{ id } = { id: '' }] = await trustedDevices.list(anna)
    expect(await revoke?.run(visitOf(anna), { device: id })).toMatchObject({ notice: {} })
    expect(await trustedDevices.isTrusted(anna, device)).toBe(false)
  })

  it('goes when its user does, and its row when its time is over', async () => {
    const { trustedDevices, jobs } = open()
    await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    await trustedDevices.remember({ userId: ben, attempt, device: newSecret(), request })
    await people.users.delete(ben, { actor: { kind: 'system' } })
    expect(await people.storage.db.trustedDevice.count()).toBe(1)
    people.clock.advance(month)
    expect(await jobs?.[0]?.run()).toEqual({ more: false })
    expect(await people.storage.db.trustedDevice.count()).toBe(0)
  })

  it('is exported without the name by which the browser is known', async () => {
    const { trustedDevices, ...feature } = open()
    const device = await trustedDevices.remember({ userId: anna, attempt, device: newSecret(), request })
    const copy = JSON.stringify(await feature.export?.(anna as UserId))
    expect(copy).toContain('expiresAt')
    expect(copy).not.toContain(device)
    expect(copy).not.toContain(hashSecret(device))
  })
})
