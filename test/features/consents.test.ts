import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAudit } from '../../src/features/audit/index.ts'
import { merged } from '../../src/features/consents/consents.ts'
import { openConsents } from '../../src/features/consents/index.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, parseCreate } from '../../src/kernel/input.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { openFrontDoor } from '../support/front-door.ts'
import { openParties, type Parties } from '../support/parties.ts'
import { newVisitor } from '../support/visitor.ts'

const nothing = { scopes: [], claims: [], resources: {} }

describe('merging consents', () => {
  it.each([
    [
      'the first',
      undefined,
      { scopes: ['openid'], claims: ['name'], resources: { a: ['read'] } },
      { scopes: ['openid'], claims: ['name'], resources: { a: ['read'] } },
    ],
    [
      'more scopes',
      { ...nothing, scopes: ['openid'] },
      { ...nothing, scopes: ['email', 'openid'] },
      { ...nothing, scopes: ['openid', 'email'] },
    ],
    [
      'fewer scopes',
      { ...nothing, scopes: ['openid', 'email'] },
      { ...nothing, scopes: ['openid'] },
      { ...nothing, scopes: ['openid', 'email'] },
    ],
    [
      'claims',
      { ...nothing, claims: ['a'] },
      { ...nothing, claims: ['b', 'a'] },
      { ...nothing, claims: ['a', 'b'] },
    ],
    [
      'another resource',
      { ...nothing, resources: { a: ['read'] } },
      { ...nothing, resources: { b: ['read'] } },
      { ...nothing, resources: { a: ['read'], b: ['read'] } },
    ],
    [
      'more of one resource',
      { ...nothing, resources: { a: ['read'] } },
      { ...nothing, resources: { a: ['write'] } },
      { ...nothing, resources: { a: ['read', 'write'] } },
    ],
    [
      'nothing',
      { scopes: ['openid'], claims: [], resources: { a: ['read'] } },
      nothing,
      { scopes: ['openid'], claims: [], resources: { a: ['read'] } },
    ],
  ])('keeps what was allowed and adds %s', (_what, before, added, expected) => {
    expect(merged(before, added)).toEqual(expected)
  })
})

describe('consents', () => {
  let parties: Parties
  let userId: string
  let clientId: string
  beforeEach(async () => {
    parties = await openParties()
    userId = 'user-1'
    await parties.storage.db.user.create({ data: { id: userId } })
    const { resource } = parties.clients
    const created = await resource.create(
      accept(
        parseCreate(resource.fields, {
          kind: 'web',
          name: 'Shop',
          redirectUris: ['https://shop.example.test/'],
        }),
      ),
      commandLineActor,
    )
    clientId = created.item.id
  })
  afterEach(() => parties[Symbol.asyncDispose]())

  const openOn = (storage: Storage) => {
    const { audit } = openAudit({
      storage,
      clock: parties.clock,
      log: parties.log,
      settings: { retentionSeconds: 86_400 },
    })
    return openConsents({
      issuer: 'https://login.example.test',
      storage,
      audit,
      accessOfUser: async () => [],
      endClientOfUser: async () => false,
      client: async () => undefined,
      api: async () => undefined,
      detailType: async () => undefined,
      getUser: async (id) => ({ id }),
    }).consents
  }

  it('are remembered for one person and one client', async () => {
    const consents = openOn(parties.storage)
    expect(await consents.find(userId, clientId)).toBeUndefined()
    const consent = {
      scopes: ['openid'],
      claims: ['name'],
      resources: { 'https://api.example.test': ['read'] },
    }
    await consents.remember({ userId, clientId }, consent)
    expect(await consents.find(userId, clientId)).toEqual(consent)
    expect(await consents.find('user-2', clientId)).toBeUndefined()
    expect(await consents.find(userId, 'client-2')).toBeUndefined()
  })

  it('do not stand any more for whoever asks while they are withdrawn', async () => {
    const { storage } = parties
    const consents = openOn(storage)
    await consents.remember({ userId, clientId }, { ...nothing, scopes: ['openid'] })
    expect(await consents.settled(userId, clientId)).toMatchObject({ scopes: ['openid'] })
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const withdrawing = storage.transaction(async (db) => {
      await db.consent.deleteMany({ where: { userId, clientId } })
      begun.resolve()
      await end.promise
    })
    await begun.promise
    const asked = consents.settled(userId, clientId)
    end.resolve()
    expect(await asked).toBeUndefined()
    await withdrawing
  })

  it('are what is left for whoever asks while they are narrowed', async () => {
    const { storage } = parties
    const consents = openOn(storage)
    await consents.remember({ userId, clientId }, { ...nothing, scopes: ['openid', 'email'] })
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const narrowing = storage.transaction(async (db) => {
      await db.consent.updateMany({ where: { userId, clientId }, data: { scopes: '["openid"]' } })
      begun.resolve()
      await end.promise
    })
    await begun.promise
    const asked = consents.settled(userId, clientId)
    end.resolve()
    expect(await asked).toMatchObject({ scopes: ['openid'] })
    await narrowing
  })

  it('lose nothing when 20 tabs in two processes allow at once', async () => {
    const processes = [openOn(parties.storage), openOn(await parties.storage.openAnother())]
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        processes[index % 2]?.remember(
          { userId, clientId },
          {
            scopes: [`scope-${index}`],
            claims: [`claim-${index}`],
            resources: { [`https://api-${index % 3}.example.test`]: [`right-${index}`] },
          },
        ),
      ),
    )
    const remembered = await processes[0]?.find(userId, clientId)
    const all = (name: string) => Array.from({ length: 20 }, (_, index) => `${name}-${index}`).toSorted()
    expect(remembered?.scopes.toSorted()).toEqual(all('scope'))
    expect(remembered?.claims.toSorted()).toEqual(all('claim'))
    expect(
      Object.values(remembered?.resources ?? {})
        .flat()
        .toSorted(),
    ).toEqual(all('right'))
    expect(await parties.storage.db.consent.count()).toBe(1)
    expect(
      await parties.storage.db.auditEvent.count({ where: { action: 'consents.given', userId, clientId } }),
    ).toBe(20)
  })

  it('and their audit entry are there together or not at all', async () => {
    const consents = openOn(parties.storage)
    await expect(consents.remember({ userId: 'nobody', clientId }, nothing)).rejects.toThrow()
    expect(await parties.storage.db.auditEvent.count({ where: { action: 'consents.given' } })).toBe(0)
  })

  it('go with their person and with their client', async () => {
    const consents = openOn(parties.storage)
    await consents.remember({ userId, clientId }, nothing)
    await parties.storage.db.user.delete({ where: { id: userId } })
    expect(await parties.storage.db.consent.count()).toBe(0)
  })
})

describe('consent at the door', () => {
  it('is asked once, asked again for what is new alone, and by prompt=consent always', async () => {
    await using door = await openFrontDoor({ client: { firstParty: false } })
    const visitor = newVisitor()
    const first = await door.signIn(visitor, { scope: 'openid email' })
    expect(first.text).toContain('See your e-mail address')
    expect(
      (await visitor.follow(await visitor.submit(first, {}, { action: '/consent' }))).location,
    ).toContain('code=')
    expect((await door.begin(visitor, { scope: 'openid email' })).location).toContain('code=')
    expect((await door.begin(visitor, { scope: 'openid' })).location).toContain('code=')
    const more = await door.begin(visitor, { scope: 'openid email profile' })
    expect(more.text).toContain('profile')
    expect(more.text).not.toContain('See your e-mail address')
    expect((await visitor.follow(await visitor.submit(more, {}, { action: '/consent' }))).location).toContain(
      'code=',
    )
    expect((await door.begin(visitor, { scope: 'openid profile email' })).location).toContain('code=')
    expect((await door.begin(visitor, { prompt: 'consent' })).location).toBeUndefined()
    // Another browser of the same person is not asked either.
    expect((await door.signIn(newVisitor(), { scope: 'openid email' })).location).toContain('code=')
  })

  it('that is denied is not remembered, and the application hears of it', async () => {
    await using door = await openFrontDoor({ client: { firstParty: false } })
    const visitor = newVisitor()
    const asked = await door.signIn(visitor)
    const denied = await visitor.follow(await visitor.submit(asked, {}, { action: '/abort' }))
    expect(new URL(denied.location ?? '').searchParams.get('error')).toBe('access_denied')
    expect(await door.latchkey.app.storage.db.consent.count()).toBe(0)
    expect(
      await door.latchkey.app.storage.db.auditEvent.count({
        where: { action: 'consents.denied', userId: door.adaId },
      }),
    ).toBe(1)
    expect((await door.begin(visitor)).text).toContain('Shop')
  })
})
