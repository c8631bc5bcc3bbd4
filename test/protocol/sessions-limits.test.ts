import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Application,
  application,
  codeIn,
  errorIn,
  register,
  sessionCookie,
  userinfo,
} from '../support/application.ts'
import { movableClock } from '../support/clock.ts'
import { createDatabase } from '../support/database.ts'
import { freePort, type RunningLatchkey, startLatchkey, withKeys } from '../support/latchkey.ts'
import { countStatements } from '../support/statements.ts'
import { startToldApplication, type ToldApplication } from '../support/told-application.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const silent = { prompt: 'none' }

const devices = ({ issuer }: RunningLatchkey, visitor: Visitor): Promise<Page> =>
  visitor.get(`${issuer}/account/devices`)

describe('what a person sees of his sessions', () => {
  let latchkey: RunningLatchkey
  let shop: Application
  beforeEach(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    shop = await register(latchkey)
  })
  afterEach(() => latchkey.close())
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0'

  it('is the browser, the system, the times, how he signed in and the applications', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const { params } = await shop.begin(silent)
    await visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`, { 'user-agent': firefox })
    const { text } = await devices(latchkey, visitor)
    expect(text).toContain('Firefox on Linux')
    expect(text).toContain('This browser')
    expect(text).toContain('password')
    expect(text).toContain('Shop')
    expect(text).not.toContain('127.0.0.1')
    expect(text).not.toContain(sessionCookie(visitor))
  })

  it('does not let a browser’s name become markup', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const { params } = await shop.begin(silent)
    const headers = { 'user-agent': '<script>alert(1)</script>/1.0 (Windows <b>)' }
    await visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`, headers)
    expect((await devices(latchkey, visitor)).text).not.toMatch(/<script>alert|<b>/)
  })

  it('costs no further row: what is known is in the session’s own', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    await shop.visit(visitor, silent)
    const rows = await latchkey.app.storage.db.artefact.findMany({ where: { model: 'Session' } })
    expect(rows).toHaveLength(1)
    expect(JSON.parse(rows[0]?.payload ?? '')).toMatchObject({ facts: { userAgent: 'node' } })
    expect(rows[0]?.payload).not.toContain('address')
  })
})

it('keeps addresses where the operator wants it', async () => {
  await using own = await startLatchkey({ environment: { LATCHKEY_PROVIDER_SESSION_ADDRESSES: 'true' } })
  const userId = await own.createUser(ada)
  const client = await register(own)
  await client.signIn(newVisitor(), ada)
  const [session] = await own.app.features.sessions.sessions.list(userId)
  expect(session?.address).toMatch(/^(127\.0\.0\.1|::1)$/)
})

describe('the limits of a session', () => {
  const limits = {
    LATCHKEY_PROVIDER_SESSION_IDLE_SECONDS: '86400',
    LATCHKEY_PROVIDER_SESSION_MAXIMUM_SECONDS: '864000',
    LATCHKEY_PROVIDER_SESSION_BRIEF_MAXIMUM_SECONDS: '3600',
  }

  it('are shorter where nobody asked to stay signed in, and the cookie ends with the browser', async () => {
    const clock = movableClock()
    await using own = await startLatchkey({ clock, environment: limits })
    const userId = await own.createUser(ada)
    const client = await register(own)
    const [kept, brief] = [newVisitor(), newVisitor()]
    for (const [visitor, keep] of [
      [kept, { keep: 'yes' }],
      [brief, {}],
    ] as const) {
      const credentials = { identifier: ada.email, password: ada.password }
      const form = await client.visit(visitor)
      const answer = await visitor.submit(form, { ...credentials, ...keep }, { action: '/password' })
      await visitor.follow(answer)
    }
    const sessions = await own.app.features.sessions.sessions.list(userId)
    expect(sessions.map((session) => session.kept).toSorted()).toEqual([false, true])
    clock.advance(3_599)
    expect(codeIn(await client.visit(brief, silent))).not.toBe('')
    clock.advance(2)
    expect(errorIn(await client.visit(brief, silent))).toBe('login_required')
    expect(codeIn(await client.visit(kept, silent))).not.toBe('')
    expect(await own.app.features.sessions.sessions.list(userId)).toHaveLength(1)
  })

  it('count as they are now, also for a session that was written under wider ones', async () => {
    const clock = movableClock()
    const database = await createDatabase(withKeys)
    const port = await freePort()
    const environment = {
      ...limits,
      PORT: String(port),
      LATCHKEY_ISSUER: `http://localhost:${port}`,
      LATCHKEY_PROVIDER_ACCESS_TOKEN_TTL_SECONDS: '3600',
    }
    const options = { clock, databaseUrl: database.url }
    const wide = await startLatchkey({ ...options, environment })
    await wide.createUser(ada)
    const client = await register(wide)
    const visitor = newVisitor()
    const { body } = await client.redeem(await client.signIn(visitor, ada))
    await wide.close()
    clock.advance(550)
    const narrower = { LATCHKEY_PROVIDER_SESSION_MAXIMUM_SECONDS: '600' }
    const narrow = await startLatchkey({ ...options, environment: { ...environment, ...narrower } })
    expect(await userinfo(narrow, body.access_token)).toMatchObject({ status: 200 })
    clock.advance(100)
    expect(errorIn(await client.visit(visitor, silent))).toBe('login_required')
    expect(await userinfo(narrow, body.access_token)).toMatchObject({ status: 401 })
    await narrow.close()
    await database.drop()
  })
})

describe('limits that are narrower than those by which a session was written', () => {
  const day = 86_400
  const wide = {
    LATCHKEY_PROVIDER_SESSION_IDLE_SECONDS: String(20 * day),
    LATCHKEY_PROVIDER_SESSION_MAXIMUM_SECONDS: String(30 * day),
    LATCHKEY_PROVIDER_SESSION_BRIEF_MAXIMUM_SECONDS: String(30 * day),
    LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true',
  }
  const narrow = { ...wide, LATCHKEY_PROVIDER_SESSION_IDLE_SECONDS: '3600' }
  const shorter = { ...wide, LATCHKEY_PROVIDER_SESSION_BRIEF_MAXIMUM_SECONDS: String(2 * day) }
  let clock = movableClock()
  beforeEach(() => {
    clock = movableClock()
  })

  /** The same server again and again, each time with other settings. */
  async function restarting() {
    const database = await createDatabase(withKeys)
    const port = await freePort()
    const address = { PORT: String(port), LATCHKEY_ISSUER: `http://localhost:${port}` }
    const start = (environment: Readonly<Record<string, string>>) =>
      startLatchkey({ clock, databaseUrl: database.url, environment: { ...environment, ...address } })
    return { start, [Symbol.asyncDispose]: () => database.drop() }
  }
  /** What the job does at its turn. */
  async function turn({ app }: RunningLatchkey): Promise<number> {
    let runs = 1
    while (await app.artefacts.endExpiredSessions()) runs += 1
    await app.features.outbox.worker.drain()
    return runs
  }
  const shopOf = (latchkey: RunningLatchkey, { backchannelLogoutUri }: ToldApplication) =>
    register(latchkey, { backchannelLogoutUri })
  const uids = async ({ app }: RunningLatchkey): Promise<number> =>
    await app.storage.db.artefact.count({ where: { model: 'Session' } })

  it.each([
    ['idle', narrow, 3_000, 601],
    ['absolute', shorter, day, day + 1],
  ])(
    'are those by which applications are told (%s): at the next turn, or when it ends by them',
    async (_what, settings, between, later) => {
      await using server = await restarting()
      await using told = await startToldApplication()
      const before = await server.start(wide)
      await before.createUser(ada)
      const shop = await shopOf(before, told)
      await shop.signIn(newVisitor(), ada)
      clock.advance(2 * day)
      await shop.signIn(newVisitor(), ada)
      await turn(before)
      await before.close()
      clock.advance(between)
      expect(told.got).toHaveLength(0)

      await using after = await server.start(settings)
      await turn(after)
      expect([told.got.length, await uids(after)]).toEqual([1, 1])
      await turn(after)
      expect(told.got).toHaveLength(1)
      clock.advance(later)
      await turn(after)
      expect([told.got.length, await uids(after)]).toEqual([2, 0])
    },
  )

  it('are applied anew whenever they come back, and by none that is wider', async () => {
    await using server = await restarting()
    await using told = await startToldApplication()
    for (const [settings, ended] of [
      [wide, 0],
      [narrow, 1],
      [wide, 1],
      [narrow, 3],
    ] as const) {
      await using latchkey = await server.start(settings)
      if (ended === 0) await latchkey.createUser(ada)
      await turn(latchkey)
      expect(told.got).toHaveLength(ended)
      if (settings === wide) {
        const shop = await shopOf(latchkey, told)
        for (let count = 0; count <= ended; count += 1) await shop.signIn(newVisitor(), ada)
      }
      clock.advance(7_200)
    }
  })

  it('cost a walk in batches, once: afterwards a turn asks for what it needs by keys alone', async () => {
    await using server = await restarting()
    const before = await server.start(wide)
    const userId = await before.createUser(ada)
    await turn(before)
    const now = clock.now()
    const [seconds, used] = [Math.floor(now.getTime() / 1000), now.getTime() - 1_800_000]
    await before.app.storage.db.artefact.createMany({
      data: Array.from({ length: 450 }, (_, index) => ({
        model: 'Session',
        id: `session-${String(index).padStart(4, '0')}`,
        sessionUid: `uid-${index}`,
        userId,
        payload: JSON.stringify({ accountId: userId, loginTs: seconds, facts: { lastUsedAt: used } }),
        expiresAt: new Date(now.getTime() + 20 * day * 1000),
      })),
    })
    expect(await turn(before)).toBe(1)
    await before.close()

    await using after = await server.start(narrow)
    expect(await turn(after)).toBe(3)
    const { db } = after.app.storage
    const ends = new Date(used + 3_600_000)
    expect(await db.artefact.count({ where: { model: 'Session', expiresAt: ends } })).toBe(450)
    using counter = countStatements()
    expect(await counter.leastOf(5, () => after.app.artefacts.endExpiredSessions())).toBe(2)
  })

  it('leave alone a session that is used meanwhile', async () => {
    await using server = await restarting()
    const before = await server.start(wide)
    await before.createUser(ada)
    const shop = await register(before)
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    await before.close()
    clock.advance(3_000)
    await using after = await server.start(narrow)
    const again = application(after, { id: shop.id, secret: '' })
    codeIn(await again.visit(visitor, silent))
    clock.advance(3_000)
    await turn(after)
    expect(await uids(after)).toBe(1)
    codeIn(await again.visit(visitor, silent))
  })
})
