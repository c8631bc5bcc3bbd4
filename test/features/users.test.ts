import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UserId } from '../../src/kernel/ids.ts'
import { change, openPeople, type People, tally } from '../support/people.ts'

const fails = (code: string, status: number) => expect.objectContaining({ code, status })
const actor = change.actor

describe('users', () => {
  let people: People
  beforeEach(async () => {
    people = await openPeople()
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const artefact = (userId: string, model: string) =>
    people.storage.db.artefact.create({ data: { model, id: `${model} of ${userId}`, payload: '{}', userId } })
  const openArtefacts = (userId: string) => people.storage.db.artefact.count({ where: { userId } })

  it('finds people by address and user name, however these are written', async () => {
    const { id } = await people.person({ email: 'Anna.Ä@Example.com'.replace('Ä', 'A'), username: 'Ann-Ä' })
    for (const written of [' ANNA.a@example.COM ', 'ann-ä', 'ANN-A\u0308', 'ａｎｎ-ä']) {
      expect((await people.users.findByIdentifier(written))?.id).toBe(id)
    }
    expect(await people.users.findByIdentifier('ann-a')).toBeUndefined()
  })

  it.each([
    ['a NUL byte', 'anna\0@example.com', 'an\0na'],
    ['a line break', 'anna@example.com\r\nBcc: eve@example.com', 'anna\r\nSet-Cookie: a'],
    ['a second address', 'anna@example.com,eve@example.com', 'anna,eve'],
    ['a display name', 'Anna <anna@example.com>', '<anna>'],
    ['a bidirectional override', 'anna\u202e@example.com', 'anna\u202enimda'],
    ['a zero-width character', 'an\u200bna@example.com', 'an\u200bna'],
    ['an invisible letter', 'an\u3164na@example.com', 'an\u3164na'],
    ['half a character', 'anna\ud800@example.com', 'anna\ud800'],
    ['a space', 'an na@example.com', 'an na'],
    ['a sign of its own', '@', 'anna@home'],
    ['letters that look alike', '\u0430nna@example.com', 'p\u0430ypal'],
    ['too many characters', `${'a'.repeat(250)}@example.com`, 'a'.repeat(65)],
    ['nothing to speak of', 'a@b', 'a'],
  ])(
    'refuses %s in an address and in a user name, and finds nobody by it',
    async (_name, email, username) => {
      await expect(people.users.create({ email }, change)).rejects.toThrow(fails('users.email_invalid', 400))
      await expect(people.users.create({ username }, change)).rejects.toThrow(
        fails('users.username_invalid', 400),
      )
      expect(await people.users.findByIdentifier(email)).toBeUndefined()
      expect(await people.users.findByIdentifier(username)).toBeUndefined()
      expect(await people.users.find(username)).toBeUndefined()
      expect(await people.storage.db.user.count()).toBe(0)
    },
  )

  it.each(['anna', 'a.b-c_9', 'müller', 'иван', '山田太郎', 'नमस्ते'])(
    'takes %s as a user name',
    async (username) => {
      const { id } = await people.users.create({ username }, change)
      expect((await people.users.findByIdentifier(username))?.id).toBe(id)
    },
  )

  it('gives an address and a user name to one person only, also of 20 in parallel', async () => {
    const other = await people.openAnother()
    const create = (user: object) =>
      tally(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? people : other).users.create({ ...user, name: `Anna ${index}` }, change),
        ),
      )
    expect(await create({ email: 'anna@example.com' })).toEqual({ success: 1, 'users.email_taken': 19 })
    expect(await create({ username: 'anna' })).toEqual({ success: 1, 'users.username_taken': 19 })
    await expect(people.users.create({ email: 'ANNA@example.com' }, change)).rejects.toThrow(
      fails('users.email_taken', 409),
    )
  })

  it('requires something to sign in with', async () => {
    await expect(people.users.create({ name: 'Anna' }, change)).rejects.toThrow(
      fails('users.identifier_missing', 400),
    )
    const { id } = await people.person({ username: 'anna' })
    await expect(people.users.update(id, { username: null }, change)).rejects.toThrow(
      fails('users.identifier_missing', 400),
    )
  })

  it.each(['Anna\0', 'Anna\r\nEve', 'Anna\u202e', 'a'.repeat(201)])('refuses the name %j', async (name) => {
    await expect(people.users.create({ username: 'anna', name }, change)).rejects.toThrow(
      fails('users.name_invalid', 400),
    )
  })

  it('no longer takes an address as verified when it changes', async () => {
    const { id } = await people.person({ email: 'anna@example.com', emailVerified: true })
    expect(await people.users.update(id, { name: 'Anna' }, change)).toMatchObject({ emailVerified: true })
    expect(await people.users.update(id, { email: 'Anna@Example.com' }, change)).toMatchObject({
      emailVerified: true,
    })
    expect(await people.users.update(id, { email: 'eve@example.com' }, change)).toMatchObject({
      emailVerified: false,
    })
  })

  it('ends everything of a person who is disabled, and serves him no longer, in every process', async () => {
    const other = await people.openAnother()
    const { id } = await people.person({ username: 'anna' })
    for (const model of ['Session', 'RefreshToken', 'Interaction']) await artefact(id, model)
    expect(await other.users.mayIssue(id)).toBe(true)
    await people.users.disable(id, change)
    expect(await people.users.mayIssue(id)).toBe(false)
    await expect.poll(() => other.users.mayIssue(id), { interval: 5 }).toBe(false)
    expect(await openArtefacts(id)).toBe(0)
    await people.users.enable(id, change)
    expect(await people.users.mayIssue(id)).toBe(true)
  })

  it('ends everything of a person who is deleted, and forgets him', async () => {
    const { id } = await people.person({ username: 'anna' }, 'seven purple umbrellas')
    await artefact(id, 'Session')
    await people.users.delete(id, change)
    expect(await openArtefacts(id)).toBe(0)
    expect(await people.users.find(id)).toBeUndefined()
    expect(await people.users.mayIssue(id)).toBe(false)
    expect(await people.storage.db.password.count()).toBe(0)
    await expect(people.users.get(id)).rejects.toThrow(fails('users.not_found', 404))
    await expect(people.users.delete(id, change)).rejects.toThrow(fails('users.not_found', 404))
    await expect(people.users.disable(id, change)).rejects.toThrow(fails('users.not_found', 404))
  })

  describe('the last administrator', () => {
    const loss: Record<string, (id: string) => Promise<unknown>> = {
      disabled: (id) => people.users.disable(id, change),
      deleted: (id) => people.users.delete(id, change),
      'made no administrator': (id) => people.users.setAdministrator(id, false, change),
    }

    it.each(Object.keys(loss))('is not %s, and loses nothing by the attempt', async (name) => {
      const { id } = await people.person({ username: 'anna', administrator: true })
      const disabled = await people.person({ username: 'ben', administrator: true })
      await people.users.disable(disabled.id, change)
      await artefact(id, 'Session')
      await expect(loss[name]?.(id)).rejects.toThrow(fails('users.last_administrator', 409))
      expect(await people.users.get(id)).toMatchObject({ administrator: true, disabledAt: null })
      expect(await openArtefacts(id)).toBe(1)
    })

    it.each(Object.keys(loss))('remains when all are %s at once', async (name) => {
      const ids = await Promise.all(
        ['anna', 'ben', 'carl', 'dora'].map((username) => people.person({ username, administrator: true })),
      )
      expect(await tally(ids.map(({ id }) => loss[name]?.(id) ?? Promise.reject(name)))).toEqual({
        success: 3,
        'users.last_administrator': 1,
      })
      expect(await people.users.countAdministrators(undefined, 'active')).toBe(1)
    })
  })

  it('counts and records every change', async () => {
    const { id } = await people.person({ username: 'anna' })
    await people.person({ username: 'ben', administrator: true })
    await people.users.update(id, { name: 'Anna' }, change)
    await people.users.setAdministrator(id, true, change)
    await people.users.disable(id, change)
    await people.users.disable(id, change)
    await people.users.enable(id, change)
    await people.users.delete(id, change)
    const events = await people.storage.db.auditEvent.findMany({ where: { userId: id } })
    expect(events.map(({ action }) => action).sort()).toEqual([
      'users.administrator_added',
      'users.created',
      'users.deleted',
      'users.disabled',
      'users.enabled',
      'users.updated',
    ])
    const revision = await people.storage.db.revision.findUnique({ where: { topic: 'users' } })
    expect(revision?.value).toBe(8)
  })

  it('tells applications of a person what their scopes give', async () => {
    const claims = async (userId: string, ...scopes: string[]) =>
      people.features.users.claims.claims({
        userId: userId as UserId,
        scopes: new Set(scopes),
      })
    const { id } = await people.person({
      email: 'anna@example.com',
      username: 'anna',
      givenName: 'Anna',
      locale: 'de',
    })
    const updatedAt = people.clock.now().getTime() / 1000
    expect(await claims(id, 'openid')).toEqual({ sub: id })
    expect(await claims(id, 'openid', 'profile', 'email')).toEqual({
      sub: id,
      given_name: 'Anna',
      preferred_username: 'anna',
      locale: 'de',
      updated_at: updatedAt,
      email: 'anna@example.com',
      email_verified: false,
    })
    expect(await claims('nobody', 'openid', 'profile', 'email')).toEqual({})
  })

  describe('in administration', () => {
    const resource = () => people.features.users.resource

    it('creates a person with a link on which he chooses a password himself', async () => {
      const { item, reveals } = await resource().create({ email: 'anna@example.com', name: 'Anna' }, actor)
      const token = new URL(reveals?.link ?? '').searchParams.get('token') ?? ''
      expect((await people.passwords.readLink(token))?.id).toBe(item.id)
      expect(Object.keys(resource().fields)).not.toContain('password')
      expect(resource().fields).toMatchObject({
        administrator: { writable: 'never' },
        disabled: { writable: 'never' },
      })
    })

    it('creates neither person nor link where one cannot be', async () => {
      await resource().create({ email: 'anna@example.com' }, actor)
      await expect(resource().create({ email: 'anna@example.com' }, actor)).rejects.toThrow(
        fails('users.email_taken', 409),
      )
      expect(await people.storage.db.user.count()).toBe(1)
      expect(await people.storage.db.passwordLink.count()).toBe(1)
    })

    it('finds by identifier, address and user name', async () => {
      const { item } = await resource().create({ email: 'anna@example.com', username: 'anna' }, actor)
      for (const key of [item.id, 'ANNA@example.com', 'Anna'])
        expect((await resource().find(key))?.id).toBe(item.id)
      for (const key of ['', 'ben', '\0', `${item.id}\0`]) expect(await resource().find(key)).toBeUndefined()
    })

    it('lists everybody once, page by page, even when some are created in the same moment or deleted meanwhile', async () => {
      for (let index = 0; index < 7; index += 1) {
        await people.person({ username: `user-${index}` })
        if (index % 3 === 0) people.clock.advance(1)
      }
      const first = await resource().list({ limit: 3 })
      const last = first.items.at(-1)
      await people.users.delete(last?.id ?? '', change)
      const second = await resource().list({ limit: 3, after: first.next })
      const third = await resource().list({ limit: 3, after: second.next })
      const names = [first, second, third].flatMap(({ items }) => items.map(({ username }) => username))
      expect(names.toSorted()).toEqual(Array.from({ length: 7 }, (_, index) => `user-${index}`))
      expect(third.next).toBeUndefined()
      await expect(resource().list({ limit: 3, after: 'made up' })).rejects.toThrow(
        fails('page.bad_cursor', 400),
      )
    })

    it.each(['ÄNNE', 'example.COM', 'gruber', 'anna'])('finds %s by searching', async (search) => {
      await people.person({ email: 'anna@example.com', username: 'anna', name: 'Änne Gruber' })
      await people.person({ username: 'ben', name: 'Ben' })
      expect((await resource().list({ limit: 10, search })).items.map(({ username }) => username)).toEqual([
        'anna',
      ])
    })

    it.each(['nobody', "' OR 1=1 --", '"', '\\'])('finds nobody by searching for %j', async (search) => {
      await people.person({ username: 'anna' })
      expect((await resource().list({ limit: 10, search })).items).toEqual([])
    })

    it.each(['an\0na', 'anna\r\n', '\ud800'])('refuses to search for %j', async (search) => {
      await expect(resource().list({ limit: 10, search })).rejects.toThrow(fails('page.bad_search', 400))
    })

    it('clears a field by null or an empty text, and leaves what is not given', async () => {
      const { item } = await resource().create({ username: 'anna', name: 'Anna', givenName: 'Anna' }, actor)
      const { schema } = resource().fields.name as { schema: { parse(value: unknown): unknown } }
      expect([schema.parse(''), schema.parse(null), schema.parse(undefined)]).toEqual([null, null, undefined])
      const updated = await resource().update(item, { name: null }, actor)
      expect(updated.item).toMatchObject({ name: null, givenName: 'Anna', username: 'anna' })
    })

    it('resets a password by a new link that ends the earlier one', async () => {
      const { item, reveals } = await resource().create({ username: 'anna' }, actor)
      const reset = resource().actions.find(({ name }) => name === 'reset-password')
      const outcome = await reset?.run(item, {}, actor)
      const token = (url = '') => new URL(url).searchParams.get('token') ?? ''
      expect(await people.passwords.readLink(token(reveals?.link))).toBeUndefined()
      expect((await people.passwords.readLink(token(outcome?.reveals?.link)))?.id).toBe(item.id)
    })
  })
})
