import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EndedSession, Visit } from '../../src/features/feature.ts'
import { describeBrowser } from '../../src/features/sessions/browser.ts'
import { openSessionsFeature } from '../../src/features/sessions/index.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { hashSecret, type UserId } from '../../src/kernel/ids.ts'
import { openSealing } from '../../src/kernel/sealing.ts'
import { type Artefacts, openArtefacts } from '../../src/provider/index.ts'
import { settings } from '../../src/provider/settings.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { defaultsOf, openPeople, type People, request, tally } from '../support/people.ts'

const by = { actor: commandLineActor, request }

describe('sessions', () => {
  let people: People
  let anna: string
  let told: EndedSession[]
  let artefacts: Artefacts
  beforeEach(async () => {
    people = await openPeople()
    anna = (await people.person({ username: 'anna' })).id
    told = []
    artefacts = openProvided(people.storage)
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const openProvided = (storage: Storage): Artefacts =>
    openArtefacts({
      storage,
      clock: people.clock,
      sealing: openSealing(Buffer.alloc(32, 7)),
      settings: defaultsOf(settings),
      sessionsEnded: async (_db, ended) => void told.push(...ended),
    })

  const open = (storage = people.storage, source = artefacts) => {
    const { db } = storage
    return openSessionsFeature({
      storage,
      audit: people.audit,
      source,
      attempts: people.attempts,
      endPendingAddress: async (within, userId) =>
        void (await within.addressProof.deleteMany({ where: { userId } })),
      clientName: async (id) => (id === 'direct' ? undefined : `The ${id}`),
      getUser: people.users.getByKey,
      devices: {
        forget: async (within, userId, deviceHash) =>
          void (await within.trustedDevice.deleteMany({ where: { userId, deviceHash } })),
        forgetOthers: async (within, userId) =>
          void (await (within ?? db).trustedDevice.deleteMany({ where: { userId } })),
      },
    })
  }

  interface Given {
    readonly userId?: string
    readonly clients?: Readonly<Record<string, { readonly outlives: boolean }>>
    readonly facts?: object
  }

  /** A session with a grant, a refresh token and a code for each client, and an interaction. */
  async function session(uid: string, { userId = anna, clients = {}, facts }: Given = {}): Promise<void> {
    const { db } = people.storage
    const now = people.clock.now()
    const expiresAt = new Date(now.getTime() + 3_600_000)
    const common = { userId, createdAt: now, expiresAt }
    const authorizations = Object.fromEntries(
      Object.entries(clients).map(([client, { outlives }]) => [
        client,
        { grantId: `${uid}-${client}`, sid: 'sid', ...(outlives && { persistsLogout: true }) },
      ]),
    )
    const loginTs = Math.floor(now.getTime() / 1000)
    const payload = { uid, accountId: userId, loginTs, amr: ['pwd'], authorizations, facts }
    await db.artefact.create({
      data: {
        ...common,
        model: 'Session',
        id: `id-${uid}`,
        sessionUid: uid,
        payload: JSON.stringify(payload),
      },
    })
    await db.artefact.create({
      data: { ...common, model: 'Interaction', id: `interaction-${uid}`, sessionUid: uid, payload: '{}' },
    })
    for (const clientId of Object.keys(clients)) {
      const grantId = `${uid}-${clientId}`
      const row = { ...common, clientId, payload: '{}' }
      await db.artefact.create({ data: { ...row, model: 'Grant', id: hashSecret(grantId) } })
      for (const model of ['RefreshToken', 'AccessToken', 'AuthorizationCode'])
        await db.artefact.create({ data: { ...row, model, id: grantId, grantId, sessionUid: uid } })
    }
  }

  const left = async (): Promise<readonly string[]> => {
    const rows = await people.storage.db.artefact.findMany({ select: { model: true, id: true } })
    return rows.map(({ model, id }) => `${model} ${id}`).toSorted()
  }
  const of = (...names: readonly string[]) => names.flatMap((name) => rowsOf(name)).toSorted()
  const rowsOf = (name: string): readonly string[] => {
    const [uid = '', client] = name.split('-')
    if (client === undefined) return [`Session id-${uid}`, `Interaction interaction-${uid}`]
    const tokens = ['RefreshToken', 'AccessToken', 'AuthorizationCode'].map((model) => `${model} ${name}`)
    return [`Grant ${hashSecret(name)}`, ...tokens]
  }
  const clients = { shop: { outlives: false }, phone: { outlives: true } }

  it('are listed with what is known of them, the last used first', async () => {
    const at = people.clock.now().getTime()
    const facts = { signedInAt: at, lastUsedAt: at + 1_000, userAgent: 'agent', deviceHash: 'device' }
    await session('one', { clients, facts: { ...facts, lastUsedAt: at } })
    await session('two', { facts })
    await session('bens', { userId: 'ben' })
    const { sessions } = open()
    const listed = await sessions.list(anna)
    expect(listed.map(({ uid }) => uid)).toEqual(['two', 'one'])
    expect(listed[1]).toMatchObject({ amr: ['pwd'], kept: true, clientIds: ['shop', 'phone'] })
    expect(await sessions.list('nobody')).toEqual([])
  })

  it('are not listed past their limits, nor an application whose access has ended', async () => {
    await session('one', { clients })
    await people.storage.db.artefact.deleteMany({ where: { model: 'Grant', clientId: 'shop' } })
    const { sessions } = open()
    expect((await sessions.list(anna))[0]?.clientIds).toEqual(['phone'])
    people.clock.advance(3_600)
    expect(await sessions.list(anna)).toEqual([])
    await expect(sessions.end('ses_one', by)).rejects.toMatchObject({ code: 'sessions.not_found' })
  })

  it('end with everything that was given in them, and nothing else', async () => {
    await session('one', { clients })
    await session('two', { clients })
    await session('bens', { userId: 'ben', clients })
    await open().sessions.end('ses_one', by)
    expect(await left()).toEqual(of('two', 'two-shop', 'two-phone', 'bens', 'bens-shop', 'bens-phone'))
    expect(told).toMatchObject([{ userId: anna, sessionUid: 'one', clientIds: ['shop', 'phone'] }])
  })

  it('leave at a logout what was given to outlive them', async () => {
    await session('one', { clients })
    await people.storage.transaction((db) => artefacts.endSession(db, 'one', { offlineAccess: false }))
    expect(await left()).toEqual(of('one-phone'))
    expect(told).toHaveLength(1)
  })

  it('end for their own user alone', async () => {
    await session('one', { clients })
    const { sessions } = open()
    for (const userId of ['ben', '', anna.toUpperCase()])
      await expect(sessions.end('ses_one', { ...by, userId })).rejects.toMatchObject({
        code: 'sessions.not_found',
        status: 404,
      })
    await people.storage.transaction(async (db) =>
      expect(await artefacts.endSession(db, 'one', { offlineAccess: true, userId: 'ben' })).toBeUndefined(),
    )
    expect(await left()).toEqual(of('one', 'one-shop', 'one-phone'))
    await sessions.end('ses_one', { ...by, userId: anna })
    expect(await left()).toEqual([])
  })

  it('end once, whoever of two processes is asked, and all but one do not end the one', async () => {
    await session('one', { clients })
    await session('two', { clients })
    const { storage } = await people.openAnother()
    const features = [open(), open(storage, openProvided(storage))]
    const each = (work: (feature: ReturnType<typeof open>) => Promise<unknown>) =>
      Array.from({ length: 20 }, (_, index) => work(features[index % 2] ?? open()))
    expect(await tally(each(({ sessions }) => sessions.end('ses_one', by)))).toEqual({
      success: 1,
      'sessions.not_found': 19,
    })
    expect(told).toHaveLength(1)
    await session('three', { clients })
    await session('four', { clients })
    expect(await tally(each(({ sessions }) => sessions.endOthers(anna, 'two', by)))).toEqual({ success: 20 })
    expect(await left()).toEqual(of('two', 'two-shop', 'two-phone'))
    expect(told.map(({ sessionUid }) => sessionUid).toSorted()).toEqual(['four', 'one', 'three'])
  })

  it('do not stand in each other’s way where several end at once', async () => {
    for (const uid of ['one', 'two', 'three', 'four']) await session(uid, { clients })
    const { storage } = await people.openAnother()
    const [first, second] = [open(), open(storage, openProvided(storage))]
    const outcome = await tally([
      ...Array.from({ length: 5 }, () => first.sessions.endOthers(anna, 'one', by)),
      ...Array.from({ length: 5 }, () => second.sessions.endOthers(anna, 'two', by)),
      ...['one', 'two', 'three'].map((uid) => second.sessions.end(`ses_${uid}`, by)),
      ...Array.from({ length: 5 }, () => first.sessions.endAll(anna, by)),
    ])
    expect(Object.keys(outcome).filter((code) => code !== 'sessions.not_found')).toEqual(['success'])
    expect(await left()).toEqual([])
    expect(told).toHaveLength(4)
  })

  it('end all, or all others, with the sign-ins under way, but not what is remembered for the own page', async () => {
    const userId = anna as UserId
    const prove = async () => {
      const epoch = await people.attempts.epochOf(userId)
      const proof = { factor: 'password', userId, amr: ['pwd'], at: people.clock.now(), epoch }
      await people.attempts.add('elsewhere', proof)
    }
    const { db } = people.storage
    const { sessions } = open()
    const remembered = { where: { userId } }
    await prove()
    await people.challenges.put(hashSecret('own'), 'test', { userId, state: {}, ttlSeconds: 600 })
    await sessions.endOthers(anna, 'own', by)
    expect([await db.signInAttempt.count(), await db.challenge.count(remembered)]).toEqual([0, 1])
    await prove()
    await sessions.endAll(anna, by)
    expect([await db.signInAttempt.count(), await db.challenge.count(remembered)]).toEqual([0, 0])
  })

  it('end but one with every grant of others, a sign-in under way but the one that is kept', async () => {
    const { db } = people.storage
    await session('one', { clients })
    await session('two', { clients })
    for (const id of ['mine', 'other'])
      await db.artefact.create({
        data: { model: 'Interaction', id: hashSecret(id), payload: '{}', userId: anna },
      })
    await db.artefact.create({
      data: { model: 'Grant', id: 'from long ago', payload: '{}', userId: anna, clientId: 'tv' },
    })
    await people.storage.transaction((within) =>
      artefacts.endOthersOfUser(within, anna, { sessionUid: 'one', interactionUid: 'mine' }),
    )
    expect(await left()).toEqual(
      [...of('one', 'one-shop', 'one-phone'), `Interaction ${hashSecret('mine')}`].toSorted(),
    )
    await people.storage.transaction((within) => artefacts.endOthersOfUser(within, anna, {}))
    expect(await left()).toEqual([])
  })

  it('are shown on one page, however many there are', async () => {
    for (let index = 0; index < 53; index += 1) await session(`number${index}`)
    const view = await open().panels?.[0]?.show({ userId: anna, sessionUid: 'number0' } as unknown as Visit)
    expect(view?.model).toMatchObject({ own: { id: 'ses_number0' }, more: 2 })
    expect(view?.model.others).toHaveLength(50)
  })

  it('are listed and ended by the command line', async () => {
    const at = people.clock.now().getTime()
    const userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0'
    await session('one', { clients, facts: { signedInAt: at, lastUsedAt: at, userAgent } })
    const { commands = [] } = open()
    const run = async (verb: string, input: object) =>
      await commands.find(({ words }) => words.join(' ') === `sessions ${verb}`)?.run({ ...input })
    const listed = await run('list', { user: 'anna' })
    expect(listed?.json).toMatchObject([
      { id: 'ses_one', device: 'Firefox, Linux', applications: ['The shop', 'The phone'] },
    ])
    expect(listed?.text).toContain('ses_one')
    await run('end', { session: 'ses_one' })
    await expect(run('end', { session: 'ses_one' })).rejects.toMatchObject({ code: 'sessions.not_found' })
    await session('two', { clients })
    await run('end-all', { user: 'anna' })
    expect(await left()).toEqual([])
    expect((await run('list', { user: 'anna' }))?.text).toBe('Not signed in anywhere.')
    for (const verb of ['list', 'end-all'])
      await expect(run(verb, { user: 'nobody' })).rejects.toMatchObject({ code: 'users.not_found' })
    const events = await people.storage.db.auditEvent.findMany({
      where: { userId: anna, actor: 'command-line' },
    })
    expect(events.map(({ action }) => action).toSorted()).toEqual(['sessions.all_ended', 'sessions.ended'])
  })

  it('are exported without what opens or identifies anything', async () => {
    await session('one', { clients, facts: { userAgent: 'agent', deviceHash: 'a-device-hash' } })
    const copy = JSON.stringify(await open().export?.(anna as UserId))
    expect(copy).toContain('ses_one')
    expect(copy).not.toContain('a-device-hash')
    expect(copy).not.toContain('one-shop')
  })
})

describe('a User-Agent header', () => {
  it.each([
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0',
      { browser: 'Microsoft Edge', system: 'Windows' },
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
      { browser: 'Safari', system: 'iOS' },
    ],
    ['curl/8.14.1', {}],
    ['', {}],
    ['\0'.repeat(10_000), {}],
    ['('.repeat(10_000), {}],
  ])('tells browser and system, or nothing: %#', async (userAgent, expected) => {
    expect(await describeBrowser(userAgent)).toEqual(expected)
  })
})
