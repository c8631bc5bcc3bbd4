import { describe, expect, it, vi } from 'vitest'
import { after, type Clock, systemClock } from '../../src/kernel/clock.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { openSessions } from '../../src/provider/sessions.ts'
import { application, callback, codeIn, outcomes, times, userinfo, walk } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob', password: 'a different engine 1844' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }

interface SettableClock extends Clock {
  advance(seconds: number): void
}

/** The system's clock, moved ahead. The library reads the system's own one. */
function settableClock(): SettableClock {
  let ahead = 0
  return {
    now: () => after(systemClock.now(), ahead),
    advance(seconds) {
      ahead += seconds
    },
  }
}

async function party(latchkey: RunningLatchkey, input: Readonly<Record<string, unknown>> = {}) {
  const client = await latchkey.createClient({ kind: 'web', name: 'Shop', redirectUris: [callback], firstParty: true, ...input })
  return application(latchkey, client)
}

const errorIn = ({ location = '' }: Page): string | null | undefined => URL.parse(location)?.searchParams.get('error')

const sessionCookie = (visitor: Visitor): string => visitor.cookies.find(({ name }) => name === 'latchkey_session')?.value ?? ''

/** Signs out at the server's own page. */
const signOut = async (visitor: Visitor, { issuer }: RunningLatchkey): Promise<void> => {
  await visitor.submit(await visitor.get(`${issuer}/`), {}, { action: '/sign-out' })
}

const silent = { prompt: 'none' }

describe('two tabs of one browser', () => {
  it('keep what each of them was allowed, and one logout ends it all', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const visitor = newVisitor()
    await (await party(latchkey)).signIn(visitor, ada)
    const shops = await times(6, (index) => party(latchkey, { name: `Shop ${index}` }))
    const tabs = await Promise.all(shops.map((shop) => shop.visit(visitor.clone())))
    const answers = await Promise.all(tabs.map((tab, index) => shops[index]?.redeem({ code: codeIn(tab), verifier: tab.verifier })))
    const tokens = answers.map((answer) => answer?.body.access_token)
    const statuses = async () => (await Promise.all(tokens.map((token) => userinfo(latchkey, token)))).map(({ status }) => status)
    expect(await statuses()).toEqual([200, 200, 200, 200, 200, 200])
    const [session] = await latchkey.app.storage.db.artefact.findMany({ where: { model: 'Session' } })
    const { authorizations } = JSON.parse(session?.payload ?? '{}') as { authorizations: object }
    expect(Object.keys(authorizations)).toEqual(expect.arrayContaining(shops.map(({ id }) => id)))
    await signOut(visitor, latchkey)
    expect(await statuses()).toEqual([401, 401, 401, 401, 401, 401])
    expect(await latchkey.app.storage.db.artefact.count({ where: { model: { in: ['Session', 'Grant', 'AccessToken', 'RefreshToken'] } } })).toBe(0)
  })

  it('write one session at the same time, and neither loses what the other added', async () => {
    await using latchkey = await startLatchkey()
    const { storage, clock, sealing } = latchkey.app
    const requests: object[] = [{}, {}]
    let current: object | undefined
    const sessions = openSessions({ storage, clock, sealing, currentRequest: () => current })
    const as = (request: number, work: () => Promise<unknown>): Promise<unknown> => {
      current = requests[request]
      return work()
    }
    const session = { uid: 'a session', accountId: 'ada', kind: 'Session' }
    await as(0, () => sessions.save('an identifier', session, 60))
    await as(0, () => sessions.find('an identifier'))
    await as(1, () => sessions.find('an identifier'))
    await as(0, () => sessions.save('an identifier', { ...session, authorizations: { shop: { sid: 'one' } } }, 60))
    await as(1, () => sessions.save('an identifier', { ...session, authorizations: { library: { sid: 'two' } } }, 60))
    expect(await sessions.find('an identifier')).toMatchObject({ authorizations: { shop: { sid: 'one' }, library: { sid: 'two' } } })
  })

  it('may both show the sign-in page and end up in one session', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const [first, second] = [await party(latchkey), await party(latchkey, { name: 'Library' })]
    const visitor = newVisitor()
    const [page, other] = [await first.visit(visitor), await second.visit(visitor)]
    const codes = [
      { code: codeIn(await walk(visitor, page, ada)), verifier: page.verifier },
      { code: codeIn(await walk(visitor, other, ada)), verifier: other.verifier },
    ] as const
    const tokens = [(await first.redeem(codes[0])).body.access_token, (await second.redeem(codes[1])).body.access_token]
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
    const shop = await party(latchkey)
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
    expect((await ended.get(`${latchkey.issuer}/`)).status).toBe(302)
    expect(codeIn(await shop.visit(victim, silent))).not.toBe('')
  })

  it('is replaced at re-authentication, and the old one is dead after a moment', async () => {
    const clock = settableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    const shop = await party(latchkey)
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const stolen = visitor.clone()
    await shop.signIn(visitor, ada, { prompt: 'login' })
    expect(sessionCookie(visitor)).not.toBe(sessionCookie(stolen))
    clock.advance(11)
    expect(errorIn(await shop.visit(stolen, silent))).toBe('login_required')
    expect(codeIn(await shop.visit(visitor, silent))).not.toBe('')
  })

  it('dies at once when somebody else signs in in its place', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    await latchkey.createUser(bob)
    const shop = await party(latchkey)
    const visitor = newVisitor()
    const { body } = await shop.redeem(await shop.signIn(visitor, ada))
    const before = visitor.clone()
    const page = await shop.visit(visitor, { prompt: 'login' })
    const other = await visitor.get(`${page.url}/other`)
    let answer = await visitor.follow(await visitor.submit(other, { identifier: bob.email, password: bob.password }, { action: '/password' }))
    // The library ends the first session by a form that sends itself.
    if (answer.location === undefined) answer = await visitor.follow(await visitor.submit(answer, {}))
    const bobs = await shop.redeem({ code: codeIn(answer), verifier: page.verifier })
    expect(await userinfo(latchkey, bobs.body.access_token)).toMatchObject({ body: { sub: await userIdOf(latchkey, bob.email) } })
    expect(errorIn(await shop.visit(before, silent))).toBe('login_required')
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
  })
})

const userIdOf = async ({ app }: RunningLatchkey, email: string): Promise<string> => (await app.features.users.users.findByIdentifier(email))?.id ?? ''

describe('a session', () => {
  it('ends when it is not used for its idle time, and its tokens with it', async () => {
    const clock = settableClock()
    await using latchkey = await startLatchkey({ clock, environment: { LATCHKEY_PROVIDER_SESSION_IDLE_SECONDS: '120' } })
    await latchkey.createUser(ada)
    const shop = await party(latchkey)
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    clock.advance(110)
    const used = await shop.visit(visitor, silent)
    const { body } = await shop.redeem({ code: codeIn(used), verifier: used.verifier })
    clock.advance(110)
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
    clock.advance(11)
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
    expect((await visitor.get(`${latchkey.issuer}/`)).status).toBe(302)
    expect(errorIn(await shop.visit(visitor, silent))).toBe('login_required')
  })

  it('ends at its absolute limit, however often it is used', async () => {
    const clock = settableClock()
    const environment = { LATCHKEY_PROVIDER_SESSION_IDLE_SECONDS: '120', LATCHKEY_PROVIDER_SESSION_MAXIMUM_SECONDS: '250' }
    await using latchkey = await startLatchkey({ clock, environment })
    await latchkey.createUser(ada)
    const shop = await party(latchkey)
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
    const [shop, phone] = [await party(latchkey), await party(latchkey, { kind: 'native', name: 'Phone' })]
    const visitor = newVisitor()
    const { body: online } = await shop.redeem(await shop.signIn(visitor, ada))
    const { body: away } = await phone.redeem(await phone.signIn(visitor, ada, offline))
    expect(online.refresh_token).toEqual(expect.any(String))
    const old = visitor.clone()
    const query = new URLSearchParams({ id_token_hint: String(online.id_token), client_id: shop.id })
    const confirmation = await visitor.get(`${latchkey.issuer}/session/end?${query}`)
    await visitor.follow(await visitor.submit(confirmation, { logout: 'yes' }, { action: '/session/end/confirm' }))
    expect(errorIn(await shop.visit(old, silent))).toBe('login_required')
    expect(await userinfo(latchkey, online.access_token)).toMatchObject({ status: 401 })
    expect(await shop.introspect(online.access_token)).toMatchObject({ body: { active: false } })
    expect(outcomes([await shop.refresh(online.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, away.access_token)).toMatchObject({ status: 200 })
    expect(outcomes([await phone.refresh(away.refresh_token)])).toEqual({ 200: 1 })
  })
})

/** Everything a person can have open: tokens of two clients, a session, a code, a sign-in page, a sign-in half finished. */
async function openEverything(latchkey: RunningLatchkey) {
  const [shop, phone] = [await party(latchkey), await party(latchkey, { kind: 'native', name: 'Phone' })]
  const visitor = newVisitor()
  const { body: online } = await shop.redeem(await shop.signIn(visitor, ada))
  const { body: away } = await phone.redeem(await phone.signIn(visitor, ada, offline))
  const code = await shop.signIn(visitor, ada)
  const reauthentication = visitor.clone()
  const form = await shop.visit(reauthentication, { prompt: 'login' })
  const newcomer = newVisitor()
  const half = await shop.visit(newcomer)
  const resume = await newcomer.submit(half, { identifier: ada.email, password: ada.password }, { action: '/password' })

  return {
    shop,
    phone,
    visitor,
    /** What each of them is still good for. */
    async check() {
      const resumed = await newcomer.clone().follow(resume)
      const confirmed = await walk(reauthentication.clone(), form, ada).catch(({ message }: Error) => message)
      return {
        userinfo: [(await userinfo(latchkey, online.access_token)).status, (await userinfo(latchkey, away.access_token)).status],
        refresh: outcomes([await shop.refresh(online.refresh_token), await phone.refresh(away.refresh_token)]),
        introspection: (await shop.introspect(online.access_token)).body,
        code: outcomes([await shop.redeem(code)]),
        silent: errorIn(await shop.visit(visitor, silent)),
        resumed: (resumed.location ?? '').includes('code='),
        confirmed: typeof confirmed !== 'string' && (confirmed.location ?? '').includes('code='),
      }
    },
  }
}

const nothing = {
  userinfo: [401, 401],
  refresh: { '400 invalid_grant': 2 },
  introspection: { active: false },
  code: { '400 invalid_grant': 1 },
  silent: 'login_required',
  resumed: false,
  confirmed: false,
}

describe('a disabled user', () => {
  it('gets nothing from anything that was open, at once, and nothing of it comes back', async () => {
    await using latchkey = await startLatchkey()
    const id = await latchkey.createUser(ada)
    const open = await openEverything(latchkey)
    const { users } = latchkey.app.features.users
    await users.disable(id, { actor: commandLineActor })
    expect(await open.check()).toEqual(nothing)
    const visitor = newVisitor()
    await expect(open.shop.signIn(visitor, ada)).rejects.toThrow(/There is no form|No code/)
    expect(sessionCookie(visitor)).toBe('')
  })

  it('finds nothing of it again when enabled: what was open has ended', async () => {
    await using latchkey = await startLatchkey()
    const id = await latchkey.createUser(ada)
    const open = await openEverything(latchkey)
    const { users } = latchkey.app.features.users
    await users.disable(id, { actor: commandLineActor })
    await users.enable(id, { actor: commandLineActor })
    expect(await open.check()).toEqual(nothing)
    expect((await open.shop.signIn(newVisitor(), ada)).code).not.toBe('')
  })

  it('gets nothing where something was left behind either: the gate stands before every issuance', async () => {
    await using latchkey = await startLatchkey()
    const id = await latchkey.createUser(ada)
    const open = await openEverything(latchkey)
    const { storage } = latchkey.app
    await storage.transaction(async (db) => {
      await db.user.updateMany({ where: { id }, data: { disabledAt: new Date() } })
      await storage.touch(db, 'users')
    })
    await vi.waitFor(async () => expect(await latchkey.app.features.users.users.mayIssue(id)).toBe(false))
    expect(await open.check()).toEqual(nothing)
  })

  it('has nothing left in the database that could serve him', async () => {
    await using latchkey = await startLatchkey()
    const id = await latchkey.createUser(ada)
    await openEverything(latchkey)
    await latchkey.app.features.users.users.disable(id, { actor: commandLineActor })
    // An interaction that has ended stays a while, to tell a browser that comes back where it came from.
    const rows = await latchkey.app.storage.db.artefact.findMany({ where: { OR: [{ model: { not: 'Interaction' } }, { consumedAt: null }] } })
    expect(rows.filter(({ payload }) => payload.includes(id))).toEqual([])
  })

  it('would otherwise be served: the same checks find all of it open', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const open = await openEverything(latchkey)
    expect(await open.check()).toMatchObject({
      userinfo: [200, 200],
      refresh: { 200: 2 },
      introspection: { active: true },
      code: { 200: 1 },
      silent: null,
      resumed: true,
    })
  })
})

describe('a disabled client', () => {
  it('gets nothing from anything that was open, and nothing of it comes back', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const { shop, phone, visitor, check } = await openEverything(latchkey)
    const { resource } = latchkey.app.features.clients
    const run = async (name: string): Promise<void> => {
      const item = await resource.find(shop.id)
      if (item === undefined) throw new Error('The client is gone.')
      await resource.actions?.find((action) => action.name === name)?.run(item, {}, commandLineActor)
    }
    await run('disable')
    expect(outcomes([await shop.credentials(), await shop.refresh('any')])).toEqual({ '401 invalid_client': 2 })
    expect(await check()).toMatchObject({ userinfo: [401, 200], code: { '401 invalid_client': 1 }, resumed: false, confirmed: false })
    expect((await shop.visit(visitor, silent)).status).toBe(400)
    expect(codeIn(await phone.visit(visitor))).not.toBe('')
    await run('enable')
    expect(await check()).toMatchObject({ userinfo: [401, 200], introspection: { active: false }, code: { '400 invalid_grant': 1 }, resumed: false, confirmed: false })
  })
})

/** Every row of every table, as text. */
async function dump({ app: { storage } }: RunningLatchkey): Promise<string> {
  const names =
    storage.dialect === 'sqlite'
      ? `SELECT name FROM sqlite_master WHERE type = 'table'`
      : `SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'`
  const tables = await storage.db.$queryRawUnsafe<{ name: string }[]>(names)
  const rows = await Promise.all(tables.map(({ name }) => storage.db.$queryRawUnsafe<object[]>(`SELECT * FROM "${name}"`)))
  return JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

describe('the database', () => {
  it('holds no value that would serve whoever reads it', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const link = await latchkey.app.features.setup.setup.issueLink()
    const client = await latchkey.createClient({ kind: 'web', name: 'Shop', redirectUris: [callback] })
    const shop = application(latchkey, client)
    const visitor = newVisitor()
    const { body } = await shop.redeem(await shop.signIn(visitor, ada, offline))
    const code = await shop.signIn(visitor, ada)
    const pushed = await shop.push({ ...(await shop.begin()).params, prompt: 'login' })
    const requestUri = String(pushed.body.request_uri)
    const pushing = new URLSearchParams({ client_id: shop.id, request_uri: requestUri })
    await visitor.get(`${latchkey.issuer}/auth?${pushing}`)
    const form = await shop.visit(visitor, { prompt: 'login' })
    const secrets = {
      code: code.code,
      accessToken: body.access_token,
      refreshToken: body.refresh_token,
      clientSecret: client.secret,
      password: ada.password,
      setupToken: new URL(link.url).searchParams.get('token'),
      interaction: new URL(form.url).pathname.split('/').at(-1),
      pushed: requestUri.split(':').at(-1),
      ...Object.fromEntries(visitor.cookies.map(({ name, value, path }) => [`${name} ${path}`, value])),
    }
    for (const [name, secret] of Object.entries(secrets)) expect(String(secret).length, name).toBeGreaterThan(16)
    expect(Object.keys(secrets)).toEqual(expect.arrayContaining(['latchkey_session /', 'latchkey_device /']))
    const text = await dump(latchkey)
    expect(text).toContain(ada.email)
    expect(Object.entries(secrets).filter(([, secret]) => text.includes(String(secret))).map(([name]) => name)).toEqual([])
  })

  it('opens no sealed value in the place of another one', async () => {
    await using latchkey = await startLatchkey()
    const { storage, features } = latchkey.app
    const { keys } = features.signingKeys
    const [one, two] = await storage.db.signingKey.findMany({ take: 2 })
    const move = (kid: string | undefined, sealedJwk: string | undefined) =>
      storage.db.signingKey.updateMany({ where: { kid: kid ?? '' }, data: { sealedJwk: sealedJwk ?? '' } })
    await move(one?.kid, two?.sealedJwk)
    await expect(keys.snapshot()).rejects.toMatchObject({ code: 'sealing.unreadable' })
    await move(one?.kid, one?.sealedJwk)
    expect((await keys.snapshot()).jwks.length).toBeGreaterThan(0)
    const secrets = await storage.db.serverSecret.findMany({ orderBy: { name: 'asc' } })
    expect(secrets.length).toBeGreaterThan(1)
    await storage.db.serverSecret.updateMany({ where: { name: secrets[0]?.name ?? '' }, data: { sealed: secrets[1]?.sealed ?? '' } })
    await expect(keys.snapshot()).rejects.toMatchObject({ code: 'sealing.unreadable' })
  })

  it('gives one session no identifier of another one', async () => {
    const clock = settableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    await latchkey.createUser(bob)
    const shop = await party(latchkey)
    const [adas, bobs] = [newVisitor(), newVisitor()]
    await shop.signIn(bobs, bob)
    await shop.signIn(adas, ada)
    const before = adas.clone()
    await shop.signIn(adas, ada, { prompt: 'login' })
    const { db } = latchkey.app.storage
    const [row, other] = [
      await db.artefact.findFirst({ where: { model: 'Session', previousId: { not: null } } }),
      await db.artefact.findFirst({ where: { model: 'Session', previousId: null } }),
    ]
    await db.artefact.updateMany({ where: { model: 'Session', id: row?.id ?? '' }, data: { sealedId: other?.sealedId ?? null } })
    expect((await shop.visit(before, silent)).status).toBe(500)
    expect(sessionCookie(before)).not.toBe(sessionCookie(bobs))
  })
})
