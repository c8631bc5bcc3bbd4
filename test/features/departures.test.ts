import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDepartures } from '../../src/features/departures/index.ts'
import type { ProvenAttempt, Visit } from '../../src/features/feature.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { attempt, change, openPeople, type People, request, tally } from '../support/people.ts'

const wait = 14 * 86_400
const by = { request, locale: 'en' }

describe('leaving', () => {
  let people: People
  let anna: UserId
  beforeEach(async () => {
    people = await openPeople()
    await people.person({ username: 'root', administrator: true })
    anna = (await people.person({ username: 'anna', email: 'anna@example.test' }, 'a password of hers')).id
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const open = (waitSeconds = wait, at: Pick<People, 'storage' | 'users'> = people) =>
    openDepartures({
      storage: at.storage,
      users: at.users,
      clock: people.clock,
      audit: people.audit,
      notices: people.notices,
      settings: { waitSeconds },
      features: () => [people.features.users, people.features.passwords, { name: 'none' }],
    })

  const leaving = (userId: string, confirmation = 'anna@example.test') => ({
    userId,
    confirmation,
    keep: {},
    ...by,
  })

  const exists = async (userId: string): Promise<boolean> =>
    (await people.storage.db.user.count({ where: { id: userId } })) === 1

  const actions = async (): Promise<readonly string[]> => {
    const events = await people.storage.db.auditEvent.findMany({ where: { userId: anna } })
    return events.map(({ action }) => action)
  }

  it('takes a waiting time, after which the account is gone with all that belongs to it', async () => {
    const { departures } = open()
    await people.signIn('anna', 'a password of hers', { device: 'd'.repeat(43) })
    const departure = await departures.request(leaving(anna))
    expect(departure?.dueAt).toEqual(new Date(people.clock.now().getTime() + wait * 1000))
    people.clock.advance(wait - 1)
    expect(await departures.deleteDue()).toBe(false)
    expect(await exists(anna)).toBe(true)
    people.clock.advance(1)
    await departures.deleteDue()
    expect(await exists(anna)).toBe(false)
    for (const table of ['password', 'knownDevice', 'departure'] as const)
      expect(await (people.storage.db[table] as { count(): Promise<number> }).count()).toBe(0)
    expect(await actions()).toEqual(expect.arrayContaining(['departures.requested', 'users.deleted']))
  })

  it('is confirmed by the address or user name of the very account', async () => {
    const { departures } = open()
    await people.person({ username: 'ben', email: 'ben@example.test' })
    for (const confirmation of ['', ' ', 'yes', 'ben', 'ben@example.test', '\0', 'root', 'x'.repeat(10_000)])
      await expect(departures.request(leaving(anna, confirmation))).rejects.toMatchObject({
        code: 'departures.not_confirmed',
        field: 'confirmation',
      })
    expect(await departures.find(anna)).toBeUndefined()
    expect(await departures.request(leaving(anna, ' ANNA@example.test '))).toBeDefined()
  })

  it('ends what is signed in elsewhere, and tells the owner how to stay', async () => {
    const { departures } = open()
    await people.storage.db.artefact.create({
      data: { model: 'Session', id: 'one', payload: '{}', userId: anna, sessionUid: 'one' },
    })
    await departures.request(leaving(anna))
    expect(await people.storage.db.artefact.count()).toBe(0)
    expect(people.mails).toHaveLength(1)
    expect(people.mails[0]).toMatchObject({
      to: 'anna@example.test',
      text: { key: 'notice.departure-requested' },
    })
  })

  it('is asked for once, however many tabs ask in two processes', async () => {
    const other = await people.openAnother()
    const features = [open(), open(wait, other)]
    const asked = Array.from({ length: 20 }, (_, index) =>
      features[index % 2]?.departures.request(leaving(anna)),
    )
    expect(await tally(asked as Promise<unknown>[])).toEqual({ success: 20 })
    expect(await people.storage.db.departure.count()).toBe(1)
    expect(people.mails).toHaveLength(1)
  })

  it('can be taken back until then, once', async () => {
    const { departures } = open()
    await departures.request(leaving(anna))
    const kept = Array.from({ length: 20 }, () => departures.keep(anna, by))
    expect(await tally(kept)).toEqual({ success: 1, 'departures.not_leaving': 19 })
    people.clock.advance(wait)
    await departures.deleteDue()
    expect(await exists(anna)).toBe(true)
    expect(await actions()).toContain('departures.cancelled')
  })

  it('is either completed or taken back when both happen at once in two processes', async () => {
    const features = [open(), open(wait, await people.openAnother())]
    await features[0]?.departures.request(leaving(anna))
    people.clock.advance(wait)
    const outcomes = await tally([
      ...Array.from({ length: 5 }, (_, index) => features[index % 2]?.departures.deleteDue()),
      features[1]?.departures.keep(anna, by),
      ...Array.from({ length: 5 }, (_, index) => features[index % 2]?.departures.deleteDue()),
    ] as Promise<unknown>[])
    const deleted = (await people.storage.db.auditEvent.count({ where: { action: 'users.deleted' } })) === 1
    expect(await exists(anna)).toBe(!deleted)
    expect(outcomes).toEqual(deleted ? { success: 10, 'departures.not_leaving': 1 } : { success: 11 })
    expect(await people.storage.db.departure.count()).toBe(0)
  })

  it('is at once where there is no waiting time', async () => {
    const { departures } = open(0)
    expect(await departures.request(leaving(anna))).toBeUndefined()
    expect(await exists(anna)).toBe(false)
    expect(people.mails[0]).toMatchObject({ text: { key: 'notice.departure-done' } })
  })

  it('leaves nothing half done where the deletion fails', async () => {
    const { departures } = open()
    await departures.request(leaving(anna))
    people.clock.advance(wait)
    const failing = openDepartures({
      storage: people.storage,
      clock: people.clock,
      audit: people.audit,
      notices: people.notices,
      settings: { waitSeconds: wait },
      features: () => [],
      users: {
        ...people.users,
        async delete(id, by) {
          await people.users.delete(id, by)
          throw new Error('the disk is full')
        },
      },
    })
    await expect(failing.departures.deleteDue()).rejects.toThrow('the disk is full')
    expect(await exists(anna)).toBe(true)
    expect(await departures.find(anna)).toBeDefined()
    expect(await people.storage.db.password.count({ where: { userId: anna } })).toBe(1)
    await departures.deleteDue()
    expect(await exists(anna)).toBe(false)
  })

  describe('of administrators', () => {
    it('is refused to the last one', async () => {
      const { departures } = open()
      const root = await people.users.findByIdentifier('root')
      await expect(departures.request(leaving(root?.id ?? '', 'root'))).rejects.toMatchObject({
        code: 'departures.last_administrator',
      })
    })

    it('leaves one: two who leave at once do not each take the other for the one who stays', async () => {
      const other = await people.person({ username: 'second', administrator: true })
      const root = await people.users.findByIdentifier('root')
      const features = [open(), open(wait, await people.openAnother())]
      const outcomes = await tally([
        features[0]?.departures.request(leaving(root?.id ?? '', 'root')),
        features[1]?.departures.request(leaving(other.id, 'second')),
      ] as Promise<unknown>[])
      expect(outcomes).toEqual({ success: 1, 'departures.last_administrator': 1 })
    })

    it('waits where the one who was to stay is gone meanwhile, and holds nobody else up', async () => {
      const { departures } = open()
      const other = await people.person({ username: 'second', administrator: true })
      const root = await people.users.findByIdentifier('root')
      await departures.request(leaving(root?.id ?? '', 'root'))
      await departures.request(leaving(anna))
      await people.users.disable(other.id, change)
      people.clock.advance(wait)
      await departures.deleteDue()
      expect(await exists(root?.id ?? '')).toBe(true)
      expect(await exists(anna)).toBe(false)
      await people.users.enable(other.id, change)
      await departures.deleteDue()
      expect(await exists(root?.id ?? '')).toBe(true)
      people.clock.advance(86_400)
      await departures.deleteDue()
      expect(await exists(root?.id ?? '')).toBe(false)
    })
  })

  describe('in the middle of a sign-in', () => {
    const proven = (): ProvenAttempt =>
      ({ ...attempt({ userId: anna }), holder: {} }) as unknown as ProvenAttempt

    it('is said, and can be taken back there', async () => {
      const { departures, interlude } = open()
      expect(await interlude?.due(proven())).toBe(false)
      await departures.request(leaving(anna))
      expect(await interlude?.due(proven())).toBe(true)
      expect(await interlude?.show(proven())).toMatchObject({ template: 'departures/interlude' })
      for (const input of [{}, { choice: '' }, { choice: 'delete' }, undefined, 'keep'])
        await expect(interlude?.finish(proven(), input)).rejects.toMatchObject({
          code: 'departures.no_choice',
        })
      await interlude?.finish(proven(), { choice: 'go-on' })
      expect(await departures.find(anna)).toBeDefined()
      await interlude?.finish(proven(), { choice: 'keep' })
      expect(await departures.find(anna)).toBeUndefined()
      await interlude?.finish(proven(), { choice: 'keep' })
    })
  })

  describe('on the page about one’s data', () => {
    const visit = (userId: UserId): Visit =>
      ({ userId, request, locale: 'en', holder: { keep: {} } }) as unknown as Visit

    it('shows what will happen, does it and takes it back', async () => {
      const { departures, panels } = open()
      const panel = panels?.find(({ name }) => name === 'departure')
      expect(panel?.acts?.delete?.fresh).toBe(true)
      expect(await panel?.show(visit(anna))).toMatchObject({
        model: { waitSeconds: wait, confirmation: 'anna@example.test' },
      })
      await expect(panel?.acts?.delete?.run(visit(anna), {})).rejects.toMatchObject({
        code: 'departures.not_confirmed',
      })
      const { dueAt } = (await departures.request(leaving(anna))) ?? {}
      expect(await panel?.show(visit(anna))).toMatchObject({ model: { dueAt } })
      expect(await panel?.acts?.keep?.run(visit(anna), {})).toEqual({ notice: { key: 'departures.kept' } })
      expect(await departures.find(anna)).toBeUndefined()
    })

    it('signs out who is gone at once', async () => {
      const { panels } = open(0)
      const panel = panels?.find(({ name }) => name === 'departure')
      const outcome = panel?.acts?.delete?.run(visit(anna), { confirmation: 'anna' })
      expect(await outcome).toEqual({ signedOut: true })
    })

    it('gives a copy of the visitor’s own data and of nobody else’s, without secrets', async () => {
      const { panels } = open()
      const ben = await people.person({ username: 'ben', email: 'ben@example.test' })
      const act = panels?.find(({ name }) => name === 'copy')?.acts?.export
      expect(act?.fresh).toBe(true)
      const outcome = await act?.run(visit(anna), { user: ben.id, userId: ben.id })
      if (outcome === undefined || !('file' in outcome)) throw new Error('no file')
      const { name, type, body } = outcome.file
      expect({ name, type }).toEqual({ name: 'account-2026-01-01.json', type: 'application/json' })
      const copy = JSON.parse(body) as Record<string, Record<string, unknown>>
      expect(copy.users).toMatchObject({ id: anna, email: 'anna@example.test' })
      expect(copy.passwords).toEqual({ changedAt: expect.any(String) })
      expect(copy).not.toHaveProperty('none')
      expect(body).not.toContain(ben.id)
      const { hash } = await people.storage.db.password.findUniqueOrThrow({ where: { userId: anna } })
      expect(body).not.toContain(hash)
      expect(await actions()).toContain('departures.exported')
    })
  })
})
