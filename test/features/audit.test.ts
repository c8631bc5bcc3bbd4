import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAudit } from '../../src/features/audit/index.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, parseUpdate } from '../../src/kernel/input.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { ada, auditOf, disableUser, openFrontDoor } from '../support/front-door.ts'
import { type KeepingLog, keepingLog } from '../support/parties.ts'
import { openTestStorage, type TestStorage } from '../support/storage.ts'
import { newVisitor } from '../support/visitor.ts'

const request = { requestId: 'request-1', address: '2001:db8::1', userAgent: 'agent' }

describe('audit', () => {
  let storage: TestStorage
  let clock: FixedClock
  let log: KeepingLog
  beforeEach(async () => {
    storage = await openTestStorage()
    clock = fixedClock()
    log = keepingLog()
  })
  afterEach(() => storage[Symbol.asyncDispose]())
  const open = (retentionSeconds = 3_600) =>
    openAudit({ storage, clock, log, settings: { retentionSeconds } })

  it('stores and logs who did what to whom, when and from where', async () => {
    await open().audit.record({
      action: 'test.done',
      outcome: 'success',
      actor: { kind: 'user', userId: 'u1' },
      userId: 'u2',
      clientId: 'c1',
      request,
      detail: { n: 1, list: ['a'], text: 'x\r\ny' },
    })
    const [stored] = await storage.db.auditEvent.findMany()
    expect(stored).toMatchObject({
      at: clock.now(),
      action: 'test.done',
      outcome: 'success',
      actor: 'user:u1',
      userId: 'u2',
      clientId: 'c1',
      address: '2001:db8::1',
      requestId: 'request-1',
    })
    expect(JSON.parse(stored?.detail ?? '')).toEqual({ n: 1, list: ['a'], text: 'x\r\ny' })
    expect(log.lines).toMatchObject([{ message: 'test.done', fields: { audit: { userId: 'u2' } } }])
  })

  it('of a transaction that fails is not stored and not logged', async () => {
    const { audit } = open()
    await expect(
      storage.transaction(async (db) => {
        await audit.recordIn(db, { action: 'test.done', outcome: 'success' })
        throw new Error('the cause fails')
      }),
    ).rejects.toThrow('the cause fails')
    expect(await storage.db.auditEvent.count()).toBe(0)
  })

  it('that cannot be stored is in the log and stops nobody', async () => {
    const { audit } = open()
    await storage.db.$executeRawUnsafe('DROP TABLE audit_event')
    await audit.record({ action: 'test.done', outcome: 'failure', userId: 'u1' })
    expect(log.lines.map(({ message }) => message)).toEqual([
      'test.done',
      'an audit entry could not be stored',
    ])
  })

  it('is removed after its time, in bounded batches, and not before', async () => {
    const row = (id: string, secondsAgo: number) => ({
      id,
      at: new Date(clock.now().getTime() - secondsAgo * 1000),
      action: 'test.done',
      outcome: 'success',
    })
    await storage.db.auditEvent.createMany({
      data: Array.from({ length: 2_100 }, (_, index) => row(`old-${index}`, 3_601 + index)),
    })
    await storage.db.auditEvent.createMany({ data: [row('edge', 3_600), row('new', 0)] })
    const [job] = open().jobs ?? []
    const left: number[] = []
    while ((await job?.run())?.more) left.push(await storage.db.auditEvent.count())
    expect(left).toEqual([1_102, 102])
    expect((await storage.db.auditEvent.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => id)).toEqual([
      'edge',
      'new',
    ])
  })
})

describe('the audit of a server', () => {
  it('tells sign-ins, refusals, consents, sign-outs, set-up and administration, each with its request', async () => {
    await using door = await openFrontDoor({ client: { firstParty: false } })
    const { latchkey, client, adaId } = door
    const { issuer, app } = latchkey
    const visitor = newVisitor()
    const form = await door.begin(visitor)
    const refused = await visitor.submit(
      form,
      { identifier: ada.email, password: 'wrong' },
      { action: '/password' },
    )
    const signedIn = await visitor.submit(
      form,
      { identifier: ada.email, password: ada.password },
      { action: '/password' },
    )
    const consent = await visitor.submit(await visitor.follow(signedIn), {}, { action: '/consent' })
    await visitor.follow(consent)
    const signedOut = await visitor.submit(
      await visitor.get(`${issuer}/account`),
      {},
      { action: '/sign-out' },
    )
    const id = (page: { readonly headers: Headers }) => page.headers.get('x-request-id')

    const entries = await auditOf(latchkey)
    const entry = (action: string) => entries.find((each) => each.action === action)
    expect(entry('login.refused')).toMatchObject({
      outcome: 'failure',
      requestId: id(refused),
      clientId: client.id,
      address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
    })
    expect(entry('login.signed_in')).toMatchObject({
      outcome: 'success',
      requestId: id(signedIn),
      userId: adaId,
      clientId: client.id,
    })
    expect(JSON.parse(entry('login.signed_in')?.detail ?? '')).toEqual({
      amr: ['pwd'],
      level: 'single-factor',
      demanded: ['single-factor: the server, of everyone'],
      proven: ['password'],
    })
    expect(entry('consents.given')).toMatchObject({
      outcome: 'success',
      requestId: id(consent),
      userId: adaId,
      clientId: client.id,
      actor: `user:${adaId}`,
    })
    expect(entry('login.signed_out')).toMatchObject({
      outcome: 'success',
      requestId: id(signedOut),
      userId: adaId,
    })
    expect(entry('clients.created')).toMatchObject({ clientId: client.id, actor: 'command-line' })
    expect(entry('users.created')).toMatchObject({ userId: adaId, actor: 'command-line' })

    const { clients } = app.features
    const item = await clients.resource.find(client.id)
    if (item === undefined) throw new Error('The client is gone.')
    await clients.resource.update(
      item,
      accept(parseUpdate(clients.resource.fields, { name: 'Store' })),
      commandLineActor,
    )
    await clients.resource.actions.find(({ name }) => name === 'disable')?.run(item, {}, commandLineActor)
    await disableUser(latchkey, adaId)
    const link = (await app.features.setup.setup.issueLink()).url
    const person = newVisitor()
    const completed = await person.submit(await person.get(link), {
      name: 'Eve',
      email: 'eve@example.test',
      username: '',
      password: 'seven purple umbrellas',
    })
    const later = (await auditOf(latchkey)).slice(entries.length)
    expect(later.map(({ action }) => action).toSorted()).toEqual([
      'clients.disabled',
      'clients.updated',
      'setup.completed',
      'setup.link_issued',
      'users.created',
      'users.disabled',
    ])
    expect(later.find(({ action }) => action === 'setup.completed')).toMatchObject({
      requestId: id(completed),
      outcome: 'success',
    })
  })

  it('tells a sign-out that an application began', async () => {
    await using door = await openFrontDoor()
    const visitor = await door.signedIn()
    const confirm = await visitor.get(`${door.latchkey.issuer}/session/end?client_id=${door.client.id}`)
    const done = await visitor.submit(confirm, { logout: 'yes' }, { action: '/session/end/confirm' })
    expect(done.status).toBe(303)
    const events = await auditOf(door.latchkey)
    expect(events.find(({ action }) => action === 'login.signed_out')).toMatchObject({
      userId: door.adaId,
      clientId: door.client.id,
      requestId: done.headers.get('x-request-id'),
    })
  })
})
