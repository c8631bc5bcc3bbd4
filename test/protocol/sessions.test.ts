import { describe, expect, it } from 'vitest'
import { openSessions } from '../../src/provider/sessions/sessions.ts'
import {
  codeIn,
  errorIn,
  outcomes,
  register,
  sessionCookie,
  times,
  userinfo,
  walk,
} from '../support/application.ts'
import { movableClock } from '../support/clock.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob', password: 'a different engine 1844' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const silent = { prompt: 'none' }

/** Signs out at the server's own page. */
const signOut = async (visitor: Visitor, { issuer }: RunningLatchkey): Promise<void> => {
  await visitor.submit(await visitor.get(`${issuer}/account`), {}, { action: '/sign-out' })
}

describe('two tabs of one browser', () => {
  it('keep what each of them was allowed, and one logout ends it all', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const visitor = newVisitor()
    await (await register(latchkey)).signIn(visitor, ada)
    const shops = await times(6, (index) => register(latchkey, { name: `Shop ${index}` }))
    const tabs = await Promise.all(shops.map((shop) => shop.visit(visitor.clone())))
    const answers = await Promise.all(
      tabs.map((tab, index) => shops[index]?.redeem({ code: codeIn(tab), verifier: tab.verifier })),
    )
    const tokens = answers.map((answer) => answer?.body.access_token)
    const statuses = async () =>
      (await Promise.all(tokens.map((token) => userinfo(latchkey, token)))).map(({ status }) => status)
    expect(await statuses()).toEqual([200, 200, 200, 200, 200, 200])
    const [session] = await latchkey.app.storage.db.artefact.findMany({ where: { model: 'Session' } })
    const { authorizations } = JSON.parse(session?.payload ?? '{}') as { authorizations: object }
    expect(Object.keys(authorizations)).toEqual(expect.arrayContaining(shops.map(({ id }) => id)))
    await signOut(visitor, latchkey)
    expect(await statuses()).toEqual([401, 401, 401, 401, 401, 401])
    expect(
      await latchkey.app.storage.db.artefact.count({
        where: { model: { in: ['Session', 'Grant', 'AccessToken', 'RefreshToken'] } },
      }),
    ).toBe(0)
  })

  it('write one session at the same time, and neither loses what the other added', async () => {
    await using latchkey = await startLatchkey()
    const requests: object[] = [{}, {}]
    let current: object | undefined
    const sessions = openSessions({
      ...latchkey.app,
      settings: latchkey.app.config.provider,
      currentRequest: () => current,
    })
    const as = (request: number, work: () => Promise<unknown>): Promise<unknown> => {
      current = requests[request]
      return work()
    }
    const session = { uid: 'a session', accountId: 'ada', kind: 'Session' }
    await as(0, () => sessions.save('an identifier', session, 60))
    await as(0, () => sessions.find('an identifier'))
    await as(1, () => sessions.find('an identifier'))
    await as(0, () =>
      sessions.save('an identifier', { ...session, authorizations: { shop: { sid: 'one' } } }, 60),
    )
    await as(1, () =>
      sessions.save('an identifier', { ...session, authorizations: { library: { sid: 'two' } } }, 60),
    )
    expect(await sessions.find('an identifier')).toMatchObject({
      authorizations: { shop: { sid: 'one' }, library: { sid: 'two' } },
    })
  })

  it('get nothing more of a session that was ended while they used it', async () => {
    await using latchkey = await startLatchkey()
    const { artefacts, storage, config } = latchkey.app
    const request = {}
    const sessions = openSessions({
      ...latchkey.app,
      settings: config.provider,
      currentRequest: () => request,
    })
    const session = { uid: 'a session', accountId: 'ada', kind: 'Session' }
    const give = async (grantId: string) => {
      const payload = { accountId: 'ada', clientId: 'shop', grantId }
      await artefacts.save('Grant', { id: grantId, payload, ttlSeconds: 60 })
      await artefacts.save('AuthorizationCode', { id: `${grantId} code`, payload, ttlSeconds: 60 })
    }
    const lasting = { grantId: 'given before', persistsLogout: true }
    await give('given before')
    await sessions.save('an identifier', { ...session, authorizations: { phone: lasting } }, 60)
    await sessions.find('an identifier')
    await storage.transaction((db) => artefacts.endSession(db, 'a session', { offlineAccess: false }))
    await give('given late')
    const authorizations = { phone: lasting, shop: { grantId: 'given late' } }
    await sessions.save('an identifier', { ...session, authorizations }, 60)
    expect(await artefacts.find('Grant', 'given late')).toBeUndefined()
    expect(await artefacts.find('AuthorizationCode', 'given late code')).toBeUndefined()
    expect(await artefacts.find('Grant', 'given before')).toBeDefined()
    expect(await storage.db.artefact.count({ where: { model: 'Session' } })).toBe(0)
  })

  it('may both show the sign-in page and end up in one session', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const [first, second] = [await register(latchkey), await register(latchkey, { name: 'Library' })]
    const visitor = newVisitor()
    const [page, other] = [await first.visit(visitor), await second.visit(visitor)]
    const codes = [
      { code: codeIn(await walk(visitor, page, ada)), verifier: page.verifier },
      { code: codeIn(await walk(visitor, other, ada)), verifier: other.verifier },
    ] as const
    const tokens = [
      (await first.redeem(codes[0])).body.access_token,
      (await second.redeem(codes[1])).body.access_token,
    ]
    await signOut(visitor, latchkey)
    for (const token of tokens) expect(await userinfo(latchkey, token)).toMatchObject({ status: 401 })
    expect(await latchkey.app.storage.db.artefact.count({ where: { model: 'Session' } })).toBe(0)
  })
})

describe('the identifier of a session', () => {
  it('is replaced at sign-in: one that an attacker planted before leads nowhere', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    await latchkey.createUser(bob)
    const shop = await register(latchkey)
    // A session that has ended still has a validly signed cookie, which the server answers with a fresh anonymous one.
    const attacker = newVisitor()
    await shop.signIn(attacker, bob)
    const ended = attacker.clone()
    await signOut(attacker, latchkey)
    const form = await shop.visit(ended)
    const planted = sessionCookie(ended)
    const victim = ended.clone()
    expect(planted).not.toBe('')
    expect(codeIn(await walk(victim, form, ada))).not.toBe('')
    expect(sessionCookie(victim)).not.toBe(planted)
    expect(errorIn(await shop.visit(ended, silent))).toBe('login_required')
    expect((await ended.get(`${latchkey.issuer}/account`)).status).toBe(303)
    expect(codeIn(await shop.visit(victim, silent))).not.toBe('')
  })

  it('is replaced at re-authentication, and the old one is dead at once', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    const shop = await register(latchkey)
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const stolen = visitor.clone()
    clock.advance(1)
    await shop.signIn(visitor, ada, { prompt: 'login' })
    expect(sessionCookie(visitor)).not.toBe(sessionCookie(stolen))
    expect(errorIn(await shop.visit(stolen, silent))).toBe('login_required')
    expect(codeIn(await shop.visit(visitor, silent))).not.toBe('')
  })

  it('dies at once when somebody else signs in in its place', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    await latchkey.createUser(bob)
    const shop = await register(latchkey)
    const visitor = newVisitor()
    const { body } = await shop.redeem(await shop.signIn(visitor, ada))
    const before = visitor.clone()
    const page = await shop.visit(visitor, { prompt: 'login' })
    const other = await visitor.get(`${page.url}/other`)
    let answer = await visitor.follow(
      await visitor.submit(other, { identifier: bob.email, password: bob.password }, { action: '/password' }),
    )
    // The library ends the first session by a form that sends itself.
    if (answer.location === undefined)
      answer = await visitor.follow(await visitor.submit(answer, { logout: 'yes' }))
    const bobs = await shop.redeem({ code: codeIn(answer), verifier: page.verifier })
    expect(await userinfo(latchkey, bobs.body.access_token)).toMatchObject({
      body: { sub: await userIdOf(latchkey, bob.email) },
    })
    expect(errorIn(await shop.visit(before, silent))).toBe('login_required')
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
  })
})

const userIdOf = async ({ app }: RunningLatchkey, email: string): Promise<string> =>
  (await app.features.users.users.findByIdentifier(email))?.id ?? ''

describe('a session', () => {
  it('ends when it is not used for its idle time, and its tokens with it', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({
      clock,
      environment: { LATCHKEY_PROVIDER_SESSION_IDLE_SECONDS: '120' },
    })
    await latchkey.createUser(ada)
    const shop = await register(latchkey)
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    clock.advance(110)
    const used = await shop.visit(visitor, silent)
    const { body } = await shop.redeem({ code: codeIn(used), verifier: used.verifier })
    clock.advance(110)
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
    clock.advance(11)
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
    expect((await visitor.get(`${latchkey.issuer}/account`)).status).toBe(303)
    expect(errorIn(await shop.visit(visitor, silent))).toBe('login_required')
  })

  it('ends at its absolute limit, however often it is used', async () => {
    const clock = movableClock()
    const environment = {
      LATCHKEY_PROVIDER_SESSION_IDLE_SECONDS: '120',
      LATCHKEY_PROVIDER_SESSION_MAXIMUM_SECONDS: '250',
    }
    await using latchkey = await startLatchkey({ clock, environment })
    await latchkey.createUser(ada)
    const shop = await register(latchkey)
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    for (const _use of [1, 2]) {
      clock.advance(100)
      expect(codeIn(await shop.visit(visitor, silent))).not.toBe('')
    }
    clock.advance(51)
    expect(errorIn(await shop.visit(visitor, silent))).toBe('login_required')
  })

  it('takes its tokens with it at logout, and leaves those for offline access', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const [shop, phone] = [
      await register(latchkey),
      await register(latchkey, { kind: 'native', name: 'Phone' }),
    ]
    const visitor = newVisitor()
    const { body: online } = await shop.redeem(await shop.signIn(visitor, ada))
    const { body: away } = await phone.redeem(await phone.signIn(visitor, ada, offline))
    expect(online.refresh_token).toEqual(expect.any(String))
    const old = visitor.clone()
    const query = new URLSearchParams({ id_token_hint: String(online.id_token), client_id: shop.id })
    const confirmation = await visitor.get(`${latchkey.issuer}/session/end?${query}`)
    await visitor.follow(
      await visitor.submit(confirmation, { logout: 'yes' }, { action: '/session/end/confirm' }),
    )
    expect(errorIn(await shop.visit(old, silent))).toBe('login_required')
    expect(await userinfo(latchkey, online.access_token)).toMatchObject({ status: 401 })
    expect(await shop.introspect(online.access_token)).toMatchObject({ body: { active: false } })
    expect(outcomes([await shop.refresh(online.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, away.access_token)).toMatchObject({ status: 200 })
    expect(outcomes([await phone.refresh(away.refresh_token)])).toEqual({ 200: 1 })
  })
})
