import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ActivityPage, messageOf } from '../../src/features/audit/activity.ts'
import { type AuditEvent, openAudit } from '../../src/features/audit/index.ts'
import { settings } from '../../src/features/audit/settings.ts'
import type { Panel, Visit } from '../../src/features/feature.ts'
import { openMessages } from '../../src/pages/messages.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { keepingLog } from '../support/parties.ts'
import { defaultsOf, request } from '../support/people.ts'
import { openTestStorage, type TestStorage } from '../support/storage.ts'

const anna = 'anna'
const told = openMessages()

describe('what a person reads of what happened', () => {
  let storage: TestStorage
  let clock: FixedClock
  beforeEach(async () => {
    storage = await openTestStorage()
    clock = fixedClock()
  })
  afterEach(() => storage[Symbol.asyncDispose]())

  const open = () =>
    openAudit(
      { storage, clock, log: keepingLog(), settings: defaultsOf(settings) },
      {
        isTold: async (key) => told.has(key),
        clientName: async (id) => (id === 'shop' ? 'The Shop' : undefined),
        describeBrowser: async (userAgent) => ({ browser: userAgent }),
      },
    )

  const happen = async (...events: readonly Partial<AuditEvent>[]): Promise<void> => {
    const { audit } = open()
    for (const event of events) {
      clock.advance(60)
      const usual = { action: 'login.signed_in', outcome: 'success', userId: anna, request } as const
      await audit.record({ ...usual, ...event })
    }
  }

  const panel = (): Panel => {
    const [first] = open().panels ?? []
    if (first === undefined) throw new Error('no panel')
    return first
  }

  const pageOf = (model: unknown) => model as ActivityPage & { readonly older: boolean }
  const visit = (userId = anna): Visit => ({ userId }) as unknown as Visit
  const newest = async (userId?: string) => pageOf((await panel().show(visit(userId)))?.model)
  const older = async (after?: string) =>
    pageOf((await panel().pages?.older?.show(visit(), after === undefined ? {} : { after }))?.model)

  it('is his own, the latest first, with when, where and in which application', async () => {
    await happen({ clientId: 'shop' }, { action: 'sessions.ended' }, { userId: 'ben' })
    const { happenings } = await newest()
    expect(happenings).toMatchObject([
      { text: { key: 'event.sessions.ended' }, failed: false, byOthers: false },
      {
        text: { key: 'event.login.signed_in', params: { named: 'yes', client: 'The Shop' } },
        address: '192.0.2.1',
        device: { browser: 'test' },
        at: new Date('2026-01-01T12:01:00Z'),
      },
    ])
    expect((await newest('ben')).happenings).toHaveLength(1)
    expect((await newest('nobody')).happenings).toEqual([])
  })

  it('leaves out what has no words, whatever it is', async () => {
    await happen({ action: 'signing-keys.created' }, { action: 'made.up' }, { action: '__proto__' })
    expect((await newest()).happenings).toEqual([])
  })

  it('tells a refusal in words of its own', async () => {
    await happen({ action: 'passwords.refused', outcome: 'failure' })
    expect((await newest()).happenings).toMatchObject([
      { text: { key: 'event.passwords.refused.failed' }, failed: true },
    ])
  })

  it('tells the same from the same place in a row once, with how often', async () => {
    const refused = { action: 'passwords.refused', outcome: 'failure' } as const
    const elsewhere = { ...request, address: '198.51.100.7' }
    await happen(refused, refused, refused, { ...refused, request: elsewhere }, {})
    const { happenings } = await newest()
    expect(happenings.map(({ count }) => count)).toEqual([1, 1, 3])
    expect(happenings[2]).toMatchObject({
      from: new Date('2026-01-01T12:01:00Z'),
      at: new Date('2026-01-01T12:03:00Z'),
    })
  })

  it('says what others did to his account', async () => {
    await happen(
      { action: 'users.disabled', actor: { kind: 'command-line' } },
      {
        actor: { kind: 'user', userId: anna },
      },
    )
    expect((await newest()).happenings.map(({ byOthers }) => byOthers)).toEqual([false, true])
  })

  it('says so of what the server did by itself, and not of what nobody had proved to be', async () => {
    await happen(
      { action: 'sessions.ended', request: undefined },
      { action: 'passwords.refused', outcome: 'failure' },
    )
    expect((await newest()).happenings.map(({ byOthers }) => byOthers)).toEqual([false, true])
  })

  it('goes back page by page, and neither repeats nor skips', async () => {
    const clients = Array.from({ length: 60 }, (_, index) => ({ clientId: `client-${index}` }))
    await happen(...clients.flatMap((event) => [event, { action: 'made.up' }]))
    const pages = [await newest()]
    for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next)
      pages.push(await older(next))
    expect(pages.map(({ happenings }) => happenings.reduce((sum, { count }) => sum + count, 0))).toEqual([
      25, 25, 10,
    ])
  })

  it('does not read on without end where nothing of it is for the person', async () => {
    await storage.db.auditEvent.createMany({
      data: Array.from({ length: 1_200 }, (_, index) => ({
        id: `event-${index}`,
        at: clock.now(),
        action: 'made.up',
        outcome: 'success',
        userId: anna,
      })),
    })
    const page = await newest()
    expect(page.happenings).toEqual([])
    expect((await older(page.next)).next).toBeUndefined()
  })

  it('refuses a place in the list that no page gave', async () => {
    for (const after of ['', 'x', '\0', Buffer.from('[1,2]').toString('base64url')])
      await expect(older(after)).rejects.toMatchObject({ code: 'page.bad_cursor', status: 400 })
  })

  it('keeps a User-Agent header only so far as it can be told', async () => {
    await happen({ request: { ...request, userAgent: 'x'.repeat(5_000) } })
    const [row] = await storage.db.auditEvent.findMany()
    expect(row?.userAgent).toHaveLength(256)
  })

  it('has every word with its parameters', async () => {
    const say = told.translator('en')
    const events = [
      { action: 'login.signed_in', outcome: 'success' },
      { action: 'consents.withdrawn', outcome: 'success' },
      { action: 'login.refused', outcome: 'failure' },
    ] as const
    for (const event of events) {
      for (const named of ['yes', 'no'])
        expect(say(messageOf(event), { named, client: 'The Shop' })).not.toContain('{')
    }
  })
})
