/** OpenID Connect Back-Channel Logout 1.0, with `jose` as the application that checks the token. */
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { after, systemClock } from '../../src/kernel/clock.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { Action, Resource } from '../../src/kernel/resource.ts'
import { times } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type RelyingParty, relyingParty, type Tokens } from '../support/relying-party.ts'
import { startToldApplication, type ToldApplication } from '../support/told-application.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const environment = { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' }

async function act<Item extends { readonly id: string }>(resource: Resource<Item>, id: string, name: string) {
  const item = await resource.find(id)
  const action = resource.actions.find((each) => each.name === name) as Action<Item> | undefined
  if (item === undefined || action === undefined) throw new Error(`There is no ${name} of ${id}.`)
  await action.run(item, {}, commandLineActor)
}

describe('back-channel logout', () => {
  let latchkey: RunningLatchkey
  let told: ToldApplication
  let shop: RelyingParty
  let userId: string
  let ahead = 0

  beforeEach(async () => {
    ahead = 0
    latchkey = await startLatchkey({ environment, clock: { now: () => after(systemClock.now(), ahead) } })
    told = await startToldApplication()
    userId = await latchkey.createUser(ada)
    shop = await party('Shop')
  })
  afterEach(async () => {
    await told[Symbol.asyncDispose]()
    await latchkey.close()
  })

  const party = (name: string, input: Readonly<Record<string, unknown>> = {}): Promise<RelyingParty> =>
    relyingParty(latchkey, {
      name,
      firstParty: true,
      backchannelLogoutUri: told.backchannelLogoutUri,
      ...input,
    })
  const deliver = async (): Promise<void> => latchkey.app.features.outbox.worker.drain()
  const signedIn = async (): Promise<{ visitor: Visitor; tokens: Tokens }> => {
    const visitor = newVisitor()
    return { visitor, tokens: await shop.signIn(visitor, ada) }
  }
  const verify = (token: string, audience = shop.client.id) =>
    jwtVerify(token, createRemoteJWKSet(new URL(`${latchkey.issuer}/jwks`)), {
      issuer: latchkey.issuer,
      audience,
      typ: 'logout+jwt',
    })
  const logOut = async (visitor: Visitor, tokens: Tokens): Promise<void> => {
    const url = openid.buildEndSessionUrl(shop.configuration, { id_token_hint: tokens.id_token ?? '' })
    await visitor.submit(await visitor.get(url.href), { logout: 'yes' }, { action: '/session/end/confirm' })
  }
  const rows = () => latchkey.app.storage.db.applicationLogout.findMany()
  const endAll = () => latchkey.app.features.sessions.sessions.endAll(userId, { actor: commandLineActor })
  const runExpiry = () => latchkey.app.artefacts.endExpiredSessions()

  it('tells each application of the session once, with a token as §2.4 wants it', async () => {
    const blog = await party('Blog')
    const { visitor, tokens } = await signedIn()
    await blog.signIn(visitor, ada)
    await logOut(visitor, tokens)
    await deliver()
    expect(told.got).toHaveLength(2)
    const mine = await Promise.any(told.got.map(({ token }) => verify(token)))
    expect(mine.payload).toMatchObject({
      sub: userId,
      sid: tokens.claims()?.sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      jti: expect.any(String),
      iat: expect.any(Number),
    })
    expect((mine.payload.exp ?? 0) - (mine.payload.iat ?? 0)).toBeLessThanOrEqual(120)
    expect(mine.payload).not.toHaveProperty('nonce')
    expect(told.got[0]).toMatchObject({ method: 'POST', type: 'application/x-www-form-urlencoded' })
    await Promise.any(told.got.map(({ token }) => verify(token, blog.client.id)))
    expect((await rows()).map(({ state }) => state)).toEqual(['delivered', 'delivered'])
  })

  it('tells when an administrator ends everything, and when the user is disabled', async () => {
    await signedIn()
    await endAll()
    await deliver()
    expect(told.got).toHaveLength(1)
    await signedIn()
    await act(latchkey.app.features.users.resource, userId, 'disable')
    await deliver()
    expect(told.got).toHaveLength(2)
  })

  it('tells when a session runs out, once, before its row goes', async () => {
    await signedIn()
    expect(await runExpiry()).toBe(false)
    await deliver()
    expect(told.got).toHaveLength(0)
    ahead = 60 * 86_400
    // What has expired for long is removed by another job, which leaves sessions to this one.
    await latchkey.app.artefacts.removeExpired()
    await times(5, runExpiry)
    await deliver()
    expect(told.got).toHaveLength(1)
  })

  it('tells once when the same session is ended twenty times at once', async () => {
    await signedIn()
    await times(20, endAll)
    await deliver()
    expect(told.got).toHaveLength(1)
  })

  it('tells nothing to an application without an address, or in whose name nobody signed in', async () => {
    const quiet = await party('Quiet', { backchannelLogoutUri: undefined })
    await party('Stranger')
    await quiet.signIn(newVisitor(), ada)
    await endAll()
    await deliver()
    expect(told.got).toHaveLength(0)
    expect(await rows()).toEqual([])
  })

  it('tries again after 5xx with a new token, and not after 400', async () => {
    await signedIn()
    told.answer({ status: 503 })
    await endAll()
    await deliver()
    expect(await rows()).toMatchObject([{ state: 'waiting', attempts: 1 }])
    told.answer({ status: 204 })
    ahead = 60
    await deliver()
    expect(await rows()).toMatchObject([{ state: 'delivered', attempts: 2, reason: null }])
    const [first, second] = told.got
    expect(first?.token).not.toBe(second?.token)

    told.answer({ status: 400 })
    await signedIn()
    await endAll()
    await deliver()
    expect(await rows()).toContainEqual(expect.objectContaining({ state: 'refused', attempts: 1 }))
    ahead = 6_000
    await deliver()
    expect(told.got).toHaveLength(3)
  })

  it('gives up in the end, and tells again when an administrator says so', async () => {
    await signedIn()
    told.answer({ status: 500 })
    await endAll()
    await deliver()
    ahead = 4 * 86_400
    await deliver()
    expect(await rows()).toMatchObject([
      { state: 'failed', reason: 'The application answered with status 500.' },
    ])
    told.answer({})
    ahead += 60
    const retry = latchkey.app.features.applicationLogouts.commands?.find(({ words }) => words[1] === 'retry')
    expect((await retry?.run({}))?.json).toEqual({ due: 1 })
    await deliver()
    expect(await rows()).toMatchObject([{ state: 'delivered' }])
  })

  it('follows no redirect', async () => {
    await using other = await startToldApplication()
    await signedIn()
    told.answer({ status: 307, location: other.backchannelLogoutUri })
    await endAll()
    await deliver()
    expect(other.got).toHaveLength(0)
    expect(await rows()).toMatchObject([{ state: 'waiting' }])
  })

  it('needs no more than the status of a huge answer', async () => {
    await signedIn()
    told.answer({ bytes: 5_000_000 })
    await endAll()
    await deliver()
    expect(await rows()).toMatchObject([{ state: 'delivered' }])
  })

  it('does not tell an application that was disabled meanwhile', async () => {
    await signedIn()
    told.answer({ status: 500 })
    await endAll()
    await deliver()
    await act(latchkey.app.features.clients.resource, shop.client.id, 'disable')
    ahead = 60
    await deliver()
    expect(told.got).toHaveLength(1)
    expect(await rows()).toMatchObject([{ state: 'failed' }])
  })

  it('is believed by nobody as an ID token or an access token', async () => {
    const { visitor, tokens } = await signedIn()
    await endAll()
    await deliver()
    const token = told.got[0]?.token ?? ''
    const me = await fetch(`${latchkey.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })
    expect(me.status).toBe(401)
    expect(tokens.id_token).toBeDefined()
    const url = openid.buildEndSessionUrl(shop.configuration, { id_token_hint: token })
    const page = await visitor.get(url.href)
    expect(page.status).toBe(400)
  })

  it('announces itself in the discovery document', async () => {
    const found = await (await fetch(`${latchkey.issuer}/.well-known/openid-configuration`)).json()
    expect(found).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
    })
  })
})

it('tells no application at a private address where the operator has not allowed it', async () => {
  await using latchkey = await startLatchkey()
  await using told = await startToldApplication()
  const userId = await latchkey.createUser(ada)
  const shop = await relyingParty(latchkey, {
    firstParty: true,
    backchannelLogoutUri: told.backchannelLogoutUri,
  })
  await shop.signIn(newVisitor(), ada)
  await latchkey.app.features.sessions.sessions.endAll(userId, { actor: commandLineActor })
  await latchkey.app.features.outbox.worker.drain()
  expect(told.got).toHaveLength(0)
  expect(await latchkey.app.storage.db.applicationLogout.findMany()).toMatchObject([
    { state: 'waiting', attempts: 1 },
  ])
})
