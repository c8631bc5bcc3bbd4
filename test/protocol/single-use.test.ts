import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { after, type Clock, systemClock } from '../../src/kernel/clock.ts'
import { hashSecret } from '../../src/kernel/ids.ts'
import { adapterFactory } from '../../src/provider/adapter.ts'
import { openSessions } from '../../src/provider/sessions.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { callback, codeIn, type Door, outcomes, application, send, times, userinfo, walk } from '../support/application.ts'
import { startServerProcess } from '../support/server-process.ts'
import { newVisitor } from '../support/visitor.ts'

const person = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const attempts = 20

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

/** A grant whose row is gone, with rows left that came from it. */
async function orphans({ app }: RunningLatchkey): Promise<number> {
  const { db } = app.storage
  const grants = new Set((await db.artefact.findMany({ where: { model: 'Grant' } })).map(({ id }) => id))
  const rows = await db.artefact.findMany({ where: { grantId: { not: null }, model: { not: 'Interaction' } } })
  return rows.filter(({ grantId }) => !grants.has(hashSecret(grantId ?? ''))).length
}

const grants = ({ app }: RunningLatchkey): Promise<number> => app.storage.db.artefact.count({ where: { model: 'Grant' } })

/** One half of the attempts at this process, the other half at another one over the same database. */
const spread = (doors: readonly Door[], index: number): { readonly at: Door } => ({ at: doors[index % doors.length] as Door })

describe('an authorization code', () => {
  it('gives tokens to one of 20 parallel redemptions, and the attempts to reuse it end what it gave', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await party(latchkey)
    const code = await shop.signIn(newVisitor(), person, offline)
    const answers = await times(attempts, () => shop.redeem(code))
    expect(outcomes(answers)).toEqual({ 200: 1, '400 invalid_grant': attempts - 1 })
    const tokens = answers.find(({ status }) => status === 200)?.body
    expect(await userinfo(latchkey, tokens?.access_token)).toMatchObject({ status: 401 })
    expect(await shop.introspect(tokens?.access_token)).toMatchObject({ body: { active: false } })
    expect(outcomes([await shop.refresh(tokens?.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(outcomes([await shop.redeem(code)])).toEqual({ '400 invalid_grant': 1 })
    expect(await grants(latchkey)).toBe(0)
    expect(await orphans(latchkey)).toBe(0)
  })

  it('gives tokens once when it is redeemed at two processes at the same time', async () => {
    await using latchkey = await startLatchkey()
    await using other = await startServerProcess(latchkey)
    await latchkey.createUser(person)
    const shop = await party(latchkey)
    const visitor = newVisitor()
    for (const _round of [1, 2, 3]) {
      const code = await shop.signIn(visitor, person)
      const answers = await times(attempts, (index) => shop.redeem(code, {}, spread([latchkey, other], index)))
      expect(outcomes(answers)).toEqual({ 200: 1, '400 invalid_grant': attempts - 1 })
      expect(await userinfo(other, answers.find(({ status }) => status === 200)?.body.access_token)).toMatchObject({ status: 401 })
      expect(await orphans(latchkey)).toBe(0)
    }
  })

  it('ends the tokens it gave when it comes a second time', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await party(latchkey)
    const code = await shop.signIn(newVisitor(), person, offline)
    const { status, body } = await shop.redeem(code)
    expect(status).toBe(200)
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
    expect(outcomes([await shop.redeem(code)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
    expect(outcomes([await shop.refresh(body.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(await grants(latchkey)).toBe(0)
    expect(await orphans(latchkey)).toBe(0)
  })

  it('is neither used up nor revoked by another client, a wrong verifier or a wrong redirect URI', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await party(latchkey, { redirectUris: [callback, `${callback}/other`] })
    const thief = await party(latchkey, { name: 'Thief' })
    const code = await shop.signIn(newVisitor(), person)
    const wrongVerifier = { ...code, verifier: 'a'.repeat(43) }
    const strangers = async () => [
      await thief.redeem(code),
      await shop.redeem(wrongVerifier),
      await shop.redeem(code, { redirect_uri: `${callback}/other` }),
    ]
    expect(outcomes(await strangers())).toEqual({ '400 invalid_grant': 3 })
    const { status, body } = await shop.redeem(code)
    expect(status).toBe(200)
    // Whoever has only seen the code pass by cannot end the owner's tokens with it either.
    expect(outcomes(await strangers())).toEqual({ '400 invalid_grant': 3 })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
  })

  it('works for a minute', async () => {
    const clock = settableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(person)
    const shop = await party(latchkey)
    const visitor = newVisitor()
    const first = await shop.signIn(visitor, person)
    clock.advance(58)
    const { status, body } = await shop.redeem(first)
    expect(status).toBe(200)
    const second = await shop.signIn(visitor, person)
    clock.advance(61)
    expect(outcomes([await shop.redeem(second)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
    clock.advance(600)
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
  })

  it('is consumed in one write: of 20 at once one wins, and whoever loses ends the grant', async () => {
    await using latchkey = await startLatchkey()
    const { artefacts, clock, sealing, storage } = latchkey.app
    const sessions = openSessions({ storage, clock, sealing, currentRequest: () => undefined })
    const clients = { find: async () => undefined, verifySecret: async () => false }
    const adapter = adapterFactory({ artefacts, sessions, clients, serverScopes: new Set() })
    await adapter('Grant').upsert('a grant', { accountId: 'ada' }, 60)
    await adapter('AuthorizationCode').upsert('a code', { grantId: 'a grant' }, 60)
    const won = await times(attempts, () => artefacts.consume('AuthorizationCode', 'a code'))
    expect(won.filter((each) => each)).toHaveLength(1)
    expect(await grants(latchkey)).toBe(1)
    await expect(adapter('AuthorizationCode').consume('a code')).rejects.toMatchObject({ error: 'invalid_grant' })
    expect(await grants(latchkey)).toBe(0)
    await adapter('AccessToken').upsert('too late', { grantId: 'a grant' }, 60)
    expect(await orphans(latchkey)).toBe(0)
  })
})

describe('a refresh token of a public client', () => {
  it('is renewed by one of 20 parallel attempts, and the attempts to reuse it end the family', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const app = await party(latchkey, { kind: 'spa' })
    const { body: first } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    const answers = await times(attempts, () => app.refresh(first.refresh_token))
    expect(outcomes(answers)).toEqual({ 200: 1, '400 invalid_grant': attempts - 1 })
    const second = answers.find(({ status }) => status === 200)?.body
    expect(second?.refresh_token).not.toBe(first.refresh_token)
    expect(outcomes([await app.refresh(second?.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    for (const token of [first.access_token, second?.access_token]) {
      expect(await userinfo(latchkey, token)).toMatchObject({ status: 401 })
    }
    expect(await grants(latchkey)).toBe(0)
    expect(await orphans(latchkey)).toBe(0)
  })

  it('is renewed once when it comes to two processes at the same time', async () => {
    await using latchkey = await startLatchkey()
    await using other = await startServerProcess(latchkey)
    await latchkey.createUser(person)
    const app = await party(latchkey, { kind: 'native' })
    const { body } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    const answers = await times(attempts, (index) => app.refresh(body.refresh_token, spread([latchkey, other], index)))
    expect(outcomes(answers)).toEqual({ 200: 1, '400 invalid_grant': attempts - 1 })
    expect(await orphans(latchkey)).toBe(0)
  })

  it('ends the family when it comes again after it was renewed', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const app = await party(latchkey, { kind: 'native' })
    const { body: first } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    const { body: second } = await app.refresh(first.refresh_token)
    const { body: third, status } = await app.refresh(second.refresh_token)
    expect(status).toBe(200)
    expect(outcomes([await app.refresh(first.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(outcomes([await app.refresh(third.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, third.access_token)).toMatchObject({ status: 401 })
    expect(await orphans(latchkey)).toBe(0)
  })

  it('is of no use to another client, which cannot end the family with it either', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const app = await party(latchkey, { kind: 'spa' })
    const thief = await party(latchkey, { kind: 'spa', name: 'Thief' })
    const { body: first } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    const { body: second } = await app.refresh(first.refresh_token)
    for (const token of [first.refresh_token, second.refresh_token]) {
      expect(outcomes([await thief.refresh(token)])).toEqual({ '400 invalid_grant': 1 })
    }
    expect((await app.refresh(second.refresh_token)).status).toBe(200)
  })

  it('stops when it was not used for its idle time', async () => {
    const clock = settableClock()
    await using latchkey = await startLatchkey({ clock, environment: { LATCHKEY_PROVIDER_REFRESH_TOKEN_IDLE_SECONDS: '300' } })
    await latchkey.createUser(person)
    const app = await party(latchkey, { kind: 'spa' })
    const { body: first } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    clock.advance(290)
    const { body: second, status } = await app.refresh(first.refresh_token)
    expect(status).toBe(200)
    clock.advance(301)
    expect(outcomes([await app.refresh(second.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
  })

  it('cannot be renewed beyond the absolute limit, however often it is used', async () => {
    const clock = settableClock()
    const environment = { LATCHKEY_PROVIDER_REFRESH_TOKEN_IDLE_SECONDS: '300', LATCHKEY_PROVIDER_REFRESH_TOKEN_MAXIMUM_SECONDS: '600' }
    await using latchkey = await startLatchkey({ clock, environment })
    await latchkey.createUser(person)
    const app = await party(latchkey, { kind: 'spa' })
    let { body } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    for (const _use of [1, 2]) {
      clock.advance(250)
      const answer = await app.refresh(body.refresh_token)
      expect(answer.status).toBe(200)
      body = answer.body
    }
    clock.advance(101)
    expect(outcomes([await app.refresh(body.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
  })
})

describe('a refresh token of a confidential client', () => {
  it('stays the same, so that parallel uses all succeed', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await party(latchkey)
    const { body } = await shop.redeem(await shop.signIn(newVisitor(), person, offline))
    const answers = await times(5, () => shop.refresh(body.refresh_token))
    expect(outcomes(answers)).toEqual({ 200: 5 })
    expect(new Set(answers.map((answer) => answer.body.refresh_token))).toEqual(new Set([body.refresh_token]))
  })
})

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

async function assertingClient(latchkey: RunningLatchkey) {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const { id } = await latchkey.createClient({ kind: 'service', name: 'Robot', authentication: 'private_key_jwt', jwks: { keys: [jwk] } })
  const assertion = (jti: string, expires: string | number = '1m'): Promise<string> =>
    new SignJWT({ jti })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(latchkey.issuer)
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(privateKey)
  const use = (clientAssertion: string, at: Door = latchkey) =>
    send(at, '/token', { form: { grant_type: 'client_credentials', client_assertion_type: assertionType, client_assertion: clientAssertion } })
  return { assertion, use }
}

describe('a client assertion', () => {
  it('authenticates one of 20 parallel requests, and none later', async () => {
    await using latchkey = await startLatchkey()
    const robot = await assertingClient(latchkey)
    const assertion = await robot.assertion(randomUUID())
    expect(outcomes(await times(attempts, () => robot.use(assertion)))).toEqual({ 200: 1, '401 invalid_client': attempts - 1 })
    expect(outcomes([await robot.use(assertion)])).toEqual({ '401 invalid_client': 1 })
    expect(outcomes([await robot.use(await robot.assertion(randomUUID()))])).toEqual({ 200: 1 })
  })

  it('authenticates once at two processes', async () => {
    await using latchkey = await startLatchkey({ environment: { LATCHKEY_HOST_FAILURES_PER_MINUTE: '1000' } })
    await using other = await startServerProcess({ ...latchkey, environment: { LATCHKEY_HOST_FAILURES_PER_MINUTE: '1000' } })
    const robot = await assertingClient(latchkey)
    for (const _round of [1, 2, 3]) {
      const assertion = await robot.assertion(randomUUID())
      const answers = await times(attempts, (index) => robot.use(assertion, spread([latchkey, other], index).at))
      expect(outcomes(answers)).toEqual({ 200: 1, '401 invalid_client': attempts - 1 })
    }
  })

  it('stays used for as long as it is valid, whatever the cleaner removes', async () => {
    const clock = settableClock()
    await using latchkey = await startLatchkey({ clock })
    const robot = await assertingClient(latchkey)
    const assertion = await robot.assertion(randomUUID(), '3d')
    expect(outcomes([await robot.use(assertion)])).toEqual({ 200: 1 })
    clock.advance(2 * 86_400)
    await latchkey.app.artefacts.removeExpired()
    expect(outcomes([await robot.use(assertion)])).toEqual({ '401 invalid_client': 1 })
  })
})

async function dpopKey(door: Door) {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const proof = (): Promise<string> =>
    new SignJWT({ htm: 'POST', htu: `${door.issuer}/token`, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(privateKey)
  return { proof, thumbprint: await calculateJwkThumbprint(jwk) }
}

describe('a DPoP proof', () => {
  it('is accepted by one of 20 parallel requests, and by none later', async () => {
    await using latchkey = await startLatchkey()
    const robot = await party(latchkey, { kind: 'service', redirectUris: [] })
    const key = await dpopKey(latchkey)
    const headers = { dpop: await key.proof() }
    const answers = await times(attempts, () => robot.credentials({}, { headers }))
    const accepted = answers.filter(({ status }) => status === 200)
    expect(accepted).toHaveLength(1)
    expect(accepted[0]?.body).toMatchObject({ token_type: 'DPoP' })
    const { 200: _, ...refused } = outcomes(answers)
    expect(Object.keys(refused)).toEqual([expect.stringMatching(/^400 invalid_(grant|dpop_proof)$/)])
    expect((await robot.credentials({}, { headers })).status).toBe(400)
    expect((await robot.credentials({}, { headers: { dpop: await key.proof() } })).status).toBe(200)
  })

  it('is accepted once at two processes', async () => {
    await using latchkey = await startLatchkey()
    await using other = await startServerProcess(latchkey)
    const robot = await party(latchkey, { kind: 'service', redirectUris: [] })
    const key = await dpopKey(latchkey)
    for (const _round of [1, 2, 3]) {
      const headers = { dpop: await key.proof() }
      const answers = await times(attempts, (index) => robot.credentials({}, { headers, ...spread([latchkey, other], index) }))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    }
  })

  it('binds a refresh token, which then needs the key and does not rotate', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const app = await party(latchkey, { kind: 'spa' })
    const key = await dpopKey(latchkey)
    const thief = await dpopKey(latchkey)
    const code = await app.signIn(newVisitor(), person, offline)
    const { body } = await app.redeem(code, {}, { headers: { dpop: await key.proof() } })
    expect(outcomes([await app.refresh(body.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(outcomes([await app.refresh(body.refresh_token, { headers: { dpop: await thief.proof() } })])).toEqual({ '400 invalid_grant': 1 })
    const renewed = await app.refresh(body.refresh_token, { headers: { dpop: await key.proof() } })
    expect(renewed).toMatchObject({ status: 200, body: { refresh_token: body.refresh_token } })
  })
})

describe('a pushed authorization request', () => {
  it('leads to one code, though 20 windows open it at once', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await party(latchkey)
    const visitor = newVisitor()
    await shop.signIn(visitor, person)
    const { params, verifier } = await shop.begin()
    const { body } = await shop.push(params)
    const query = new URLSearchParams({ client_id: shop.id, request_uri: String(body.request_uri) })
    const open = () => visitor.clone().get(`${latchkey.issuer}/auth?${query}`)
    const pages = await times(attempts, open)
    const codes = pages.filter(({ location = '' }) => location.includes('code='))
    expect(codes).toHaveLength(1)
    expect((await shop.redeem({ code: codeIn(codes[0] as (typeof codes)[number]), verifier })).status).toBe(200)
    expect((await open()).location ?? '').not.toContain('code=')
  })

  it('is used up by the sign-in that it led to', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await party(latchkey)
    const { params, verifier } = await shop.begin()
    const { body } = await shop.push(params)
    const address = `${latchkey.issuer}/auth?${new URLSearchParams({ client_id: shop.id, request_uri: String(body.request_uri) })}`
    const [visitor, other] = [newVisitor(), newVisitor()]
    const [page, second] = [await visitor.get(address), await other.get(address)]
    expect((await shop.redeem({ code: codeIn(await walk(visitor, page, person)), verifier })).status).toBe(200)
    expect((await walk(other, second, person).catch(() => undefined))?.location ?? '').not.toContain('code=')
  })
})
