import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { Client } from 'pg'
import { describe, expect, it, vi } from 'vitest'
import { unavailable } from '../../src/storage/errors.ts'
import { type Answer, application, callback, codeIn, send, times, userinfo } from '../support/application.ts'
import { databaseKind } from '../support/database.ts'
import { type RunningLatchkey, startLatchkey, withKeys } from '../support/latchkey.ts'
import { startPostgres } from '../support/postgres.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const outage = { status: 503, body: { error: 'temporarily_unavailable' } }
const recoveryMilliseconds = 20_000

/** A server in the middle of everything: somebody signed in, somebody about to, a code and tokens given out. */
async function busy(latchkey: RunningLatchkey) {
  await latchkey.createUser(ada)
  const register = async (input: Readonly<Record<string, unknown>>) =>
    application(latchkey, await latchkey.createClient({ firstParty: true, ...input }))
  const shop = await register({ kind: 'web', name: 'Shop', redirectUris: [callback] })
  const phone = await register({ kind: 'native', name: 'Phone', redirectUris: [callback] })
  const visitor = newVisitor()
  const { body: tokens } = await phone.redeem(await phone.signIn(visitor, ada, offline))
  const { body: online } = await shop.redeem(await shop.signIn(visitor, ada))
  const code = await shop.signIn(visitor, ada)
  const newcomer = newVisitor()
  const form = await shop.visit(newcomer)
  const signIn = () =>
    newcomer.submit(form, { identifier: ada.email, password: ada.password }, { action: '/password' })
  return {
    shop,
    phone,
    visitor,
    tokens,
    online,
    code,
    newcomer,
    form,
    signIn,
    robot: await robotOf(latchkey),
  }
}

async function robotOf(latchkey: RunningLatchkey): Promise<() => Promise<Answer>> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const { id } = await latchkey.createClient({
    kind: 'service',
    name: 'Robot',
    authentication: 'private_key_jwt',
    jwks: { keys: [jwk] },
  })
  return async () => {
    const claims = new SignJWT({ jti: randomUUID() }).setProtectedHeader({ alg: 'ES256', kid: 'one' })
    const assertion = await claims
      .setIssuer(id)
      .setSubject(id)
      .setAudience(latchkey.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey)
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    return await send(latchkey, '/token', {
      form: { grant_type: 'client_credentials', client_assertion_type: type, client_assertion: assertion },
    })
  }
}

type Busy = Awaited<ReturnType<typeof busy>>

const hasSession = (visitor: Visitor): boolean =>
  visitor.cookies.some(({ name }) => name === 'latchkey_session')

/** What needs the database to write. */
async function expectNothingWritten({
  shop,
  phone,
  visitor,
  tokens,
  code,
  newcomer,
  signIn,
  robot,
}: Busy): Promise<void> {
  const [answer, silent, ...protocol] = await Promise.all([
    signIn(),
    shop.visit(visitor.clone()),
    shop.redeem(code),
    phone.refresh(tokens.refresh_token),
    robot(),
  ])
  expect(answer.status).toBe(503)
  expect(answer.text).toContain('<html')
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(hasSession(newcomer)).toBe(false)
  expect(protocol).toMatchObject([outage, outage, outage])
  expect(silent).toMatchObject({ status: 503, location: undefined })
}

/** Nothing that was refused has been used up. */
async function expectRecovered(latchkey: RunningLatchkey, open: Busy): Promise<void> {
  await expectServing(latchkey)
  const { shop, phone, tokens, code } = open
  expect((await shop.redeem(code)).status).toBe(200)
  expect((await phone.refresh(tokens.refresh_token)).status).toBe(200)
  await expectGoingOn(open)
}

async function expectServing(latchkey: RunningLatchkey): Promise<void> {
  await vi.waitFor(async () => expect((await send(latchkey, '/health/ready')).status).toBe(200), {
    timeout: recoveryMilliseconds,
  })
  // Also what is cached: while changes by others cannot be seen, nothing is.
  await vi.waitFor(() => expect(latchkey.app.storage.revision('clients')).toEqual(expect.any(Number)), {
    timeout: recoveryMilliseconds,
  })
}

/** Who was signed in still is, who was about to sign in can, and tokens are given out. */
async function expectGoingOn({ shop, visitor, newcomer, signIn, robot }: Busy): Promise<void> {
  expect((await robot()).status).toBe(200)
  expect(codeIn(await shop.visit(visitor))).not.toBe('')
  expect(codeIn(await newcomer.follow(await signIn()))).not.toBe('')
}

if (databaseKind() === 'postgresql') {
  const ownServer = async (environment: Readonly<Record<string, string>> = {}) => {
    const server = await startPostgres()
    const database = await server.createDatabase()
    await withKeys.prepare(database.url)
    const latchkey = await startLatchkey({
      databaseUrl: database.url,
      environment: { LATCHKEY_DATABASE_TIMEOUT_SECONDS: '1', ...environment },
    })
    const close = async (): Promise<void> => {
      await server.resume()
      await latchkey.close()
      await server.close()
    }
    return { server, latchkey, url: database.url, [Symbol.asyncDispose]: close }
  }

  describe('while PostgreSQL is away', () => {
    it.each([
      ['is shut down', 'stop', 'start'],
      ['has crashed', 'kill', 'start'],
      ['hangs', 'pause', 'resume'],
    ] as const)(
      '(it %s) everything answers 503, nobody is signed in, and afterwards all goes on',
      async (_how, fail, mend) => {
        await using own = await ownServer()
        const { latchkey, server } = own
        const open = await busy(latchkey)
        await server[fail]()
        expect(await send(latchkey, '/health/ready')).toMatchObject({ status: 503 })
        expect(await send(latchkey, '/health/live')).toMatchObject({ status: 200 })
        await expectNothingWritten(open)
        const pages = await Promise.all([
          open.newcomer.get(open.form.url),
          open.visitor.get(`${latchkey.issuer}/account`),
        ])
        expect(pages.map(({ status }) => status)).toEqual([503, 503])
        const token = open.online.access_token
        expect(await Promise.all([userinfo(latchkey, token), open.shop.introspect(token)])).toMatchObject([
          outage,
          outage,
        ])
        await server[mend]()
        await expectRecovered(latchkey, open)
      },
      60_000,
    )
  })

  describe('with every connection taken', () => {
    it('answers 503 within the time limit and goes on when one is free', async () => {
      await using own = await ownServer({ LATCHKEY_DATABASE_POOL_SIZE: '1' })
      const { latchkey, url } = own
      const open = await busy(latchkey)
      const other = new Client({ connectionString: url })
      other.on('error', () => undefined)
      await other.connect()
      await other.query('BEGIN')
      await other.query('LOCK TABLE artefact IN ACCESS EXCLUSIVE MODE')
      const started = performance.now()
      const answers = await times(8, () => open.shop.redeem(open.code))
      expect(performance.now() - started).toBeLessThan(20_000)
      for (const answer of answers) expect(answer).toMatchObject(outage)
      await expectNothingWritten(open)
      await other.query('ROLLBACK')
      await other.end()
      await expectRecovered(latchkey, open)
    }, 60_000)
  })
}

if (databaseKind() === 'sqlite') {
  /**
   * As on a full disk, SQLite gets no further page; what is left in the pages there are is used up, row by row. A row that
   * finds no room in one page of an index may do so in another: there is none once so many in a row have found none.
   */
  async function fillDisk({ app: { storage } }: RunningLatchkey): Promise<() => Promise<void>> {
    const limit = (pages: number) => storage.db.$queryRawUnsafe(`PRAGMA max_page_count = ${pages}`)
    await limit(1)
    const artefact = storage.statement("INSERT INTO artefact (model, id, payload) VALUES ('Filler', ?, ?)")
    const event = storage.statement(
      "INSERT INTO audit_event (id, at, action, outcome, detail) VALUES (?, 0, 'filler', 'success', ?)",
    )
    const attempt = storage.statement(
      'INSERT INTO sign_in_attempt (id, proofs, created_at, expires_at) VALUES (?, ?, 0, 4102444800000)',
    )
    for (const insert of [artefact, event, attempt]) {
      for (const length of [2_000, 200, 0]) {
        for (let refused = 0; refused < 100; ) {
          const full: unknown = await insert.run(randomUUID(), ' '.repeat(length)).then(
            () => undefined,
            (error: unknown) => error,
          )
          refused = full === undefined ? 0 : refused + 1
          if (full !== undefined)
            expect(unavailable(full)).toMatchObject({ code: 'storage.unavailable', status: 503 })
        }
      }
    }
    return async () => void (await limit(2 ** 30))
  }

  describe('while the disk is full', () => {
    it('what has to be written answers 503, nobody is signed in, and afterwards all goes on', async () => {
      await using latchkey = await startLatchkey()
      const open = await busy(latchkey)
      const makeRoom = await fillDisk(latchkey)
      await expectNothingWritten(open)
      expect(await send(latchkey, '/health/live')).toMatchObject({ status: 200 })
      await makeRoom()
      await expectServing(latchkey)
      await expectGoingOn(open)
      expect((await open.shop.redeem(await open.shop.signIn(newVisitor(), ada))).status).toBe(200)
    }, 60_000)
  })

  describe('while another process keeps the file locked', () => {
    it('what has to be written answers 503, nobody is signed in, and afterwards all goes on', async () => {
      await using latchkey = await startLatchkey()
      const open = await busy(latchkey)
      // A shorter wait than it starts with; the lock is as real.
      await latchkey.app.storage.db.$queryRawUnsafe('PRAGMA busy_timeout = 300')
      const other = new DatabaseSync(latchkey.databaseUrl.slice('file:'.length))
      other.exec('BEGIN IMMEDIATE')
      await expectNothingWritten(open)
      other.exec('ROLLBACK')
      other.close()
      await expectRecovered(latchkey, open)
    }, 60_000)
  })
}
