import { describe, expect, it } from 'vitest'
import { adapterFactory } from '../../src/provider/artefacts/adapter.ts'
import { openSessions } from '../../src/provider/sessions/sessions.ts'
import {
  callback,
  codeIn,
  outcomes,
  register,
  spread,
  times,
  userinfo,
  walk,
} from '../support/application.ts'
import { movableClock } from '../support/clock.ts'
import { countGrants, countOrphans } from '../support/grants.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { startServerProcess } from '../support/server-process.ts'
import { newVisitor } from '../support/visitor.ts'

const person = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const attempts = 20

describe('an authorization code', () => {
  it('gives tokens to one of 20 parallel redemptions, and the attempts to reuse it end what it gave', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await register(latchkey)
    const code = await shop.signIn(newVisitor(), person, offline)
    const answers = await times(attempts, () => shop.redeem(code))
    expect(outcomes(answers)).toEqual({ 200: 1, '400 invalid_grant': attempts - 1 })
    const tokens = answers.find(({ status }) => status === 200)?.body
    expect(await userinfo(latchkey, tokens?.access_token)).toMatchObject({ status: 401 })
    expect(await shop.introspect(tokens?.access_token)).toMatchObject({ body: { active: false } })
    expect(outcomes([await shop.refresh(tokens?.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(outcomes([await shop.redeem(code)])).toEqual({ '400 invalid_grant': 1 })
    expect(await countGrants(latchkey)).toBe(0)
    expect(await countOrphans(latchkey)).toBe(0)
  })

  it('gives tokens once when it is redeemed at two processes at the same time', async () => {
    await using latchkey = await startLatchkey()
    await using other = await startServerProcess(latchkey)
    await latchkey.createUser(person)
    const shop = await register(latchkey)
    const visitor = newVisitor()
    for (const _round of [1, 2, 3]) {
      const code = await shop.signIn(visitor, person)
      const answers = await times(attempts, (index) =>
        shop.redeem(code, {}, spread([latchkey, other], index)),
      )
      expect(outcomes(answers)).toEqual({ 200: 1, '400 invalid_grant': attempts - 1 })
      expect(
        await userinfo(other, answers.find(({ status }) => status === 200)?.body.access_token),
      ).toMatchObject({ status: 401 })
      expect(await countOrphans(latchkey)).toBe(0)
    }
  })

  it('ends the tokens it gave when it comes a second time', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await register(latchkey)
    const code = await shop.signIn(newVisitor(), person, offline)
    const { status, body } = await shop.redeem(code)
    expect(status).toBe(200)
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
    expect(outcomes([await shop.redeem(code)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
    expect(outcomes([await shop.refresh(body.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(await countGrants(latchkey)).toBe(0)
    expect(await countOrphans(latchkey)).toBe(0)
  })

  it('is neither used up nor revoked by another client, a wrong verifier or a wrong redirect URI', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await register(latchkey, { redirectUris: [callback, `${callback}/other`] })
    const thief = await register(latchkey, { name: 'Thief' })
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
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(person)
    const shop = await register(latchkey)
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
    const { artefacts } = latchkey.app
    const sessions = openSessions({
      ...latchkey.app,
      settings: latchkey.app.config.provider,
      currentRequest: () => undefined,
    })
    const clients = {
      find: async () => undefined,
      listFederated: async () => [],
      verifySecret: async () => false,
    }
    const adapter = adapterFactory({
      artefacts,
      sessions,
      clients,
      deviceCodes: {},
      backchannelRequests: {},
      serverScopes: new Set(),
      currentClientId: () => undefined,
    })
    await adapter('Grant').upsert('a grant', { accountId: 'ada' }, 60)
    await adapter('AuthorizationCode').upsert('a code', { grantId: 'a grant' }, 60)
    const won = await times(attempts, () => artefacts.consume('AuthorizationCode', 'a code'))
    expect(won.filter((each) => each)).toHaveLength(1)
    expect(await countGrants(latchkey)).toBe(1)
    await expect(adapter('AuthorizationCode').consume('a code')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    expect(await countGrants(latchkey)).toBe(0)
    await adapter('AccessToken').upsert('too late', { grantId: 'a grant' }, 60)
    expect(await countOrphans(latchkey)).toBe(0)
  })
})

describe('a pushed authorization request', () => {
  it('leads to one code, though 20 windows open it at once', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await register(latchkey)
    const visitor = newVisitor()
    await shop.signIn(visitor, person)
    const { params, verifier } = await shop.begin()
    const { body } = await shop.push(params)
    const query = new URLSearchParams({ client_id: shop.id, request_uri: String(body.request_uri) })
    const open = () => visitor.clone().get(`${latchkey.issuer}/auth?${query}`)
    const pages = await times(attempts, open)
    const codes = pages.filter(({ location = '' }) => location.includes('code='))
    expect(codes).toHaveLength(1)
    expect((await shop.redeem({ code: codeIn(codes[0] as (typeof codes)[number]), verifier })).status).toBe(
      200,
    )
    expect((await open()).location ?? '').not.toContain('code=')
  })

  it('is used up by the sign-in that it led to', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await register(latchkey)
    const { params, verifier } = await shop.begin()
    const { body } = await shop.push(params)
    const address = `${latchkey.issuer}/auth?${new URLSearchParams({ client_id: shop.id, request_uri: String(body.request_uri) })}`
    const [visitor, other] = [newVisitor(), newVisitor()]
    const [page, second] = [await visitor.get(address), await other.get(address)]
    expect((await shop.redeem({ code: codeIn(await walk(visitor, page, person)), verifier })).status).toBe(
      200,
    )
    expect((await walk(other, second, person).catch(() => undefined))?.location ?? '').not.toContain('code=')
  })
})
