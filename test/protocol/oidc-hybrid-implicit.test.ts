import { createHash } from 'node:crypto'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Application,
  application,
  type Fields,
  register,
  send,
  userinfo,
  walk,
} from '../support/application.ts'
import { createDatabase } from '../support/database.ts'
import { type RunningLatchkey, startLatchkey, withKeys } from '../support/latchkey.ts'
import { broughtBy, refusalOf, strictCallback } from '../support/strict-party.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const allowed = { LATCHKEY_CLIENTS_ALLOW_LEGACY: 'true' }
const all = ['code', 'code id_token', 'code token', 'code id_token token', 'id_token', 'id_token token']
const legacy = { profile: 'legacy', redirectUris: [strictCallback], responseTypes: all }
const named = expect.stringContaining(", as the client's security profile legacy demands")

const half = (text: unknown): string =>
  createHash('sha256').update(String(text)).digest().subarray(0, 16).toString('base64url')

describe('a client of the profile legacy', () => {
  let latchkey: RunningLatchkey
  let old: Application

  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: allowed })
    await latchkey.createUser(ada)
    old = await register(latchkey, legacy)
  })
  afterAll(() => latchkey.close())

  /** Without PKCE. */
  const ask = (client: Application, more: Fields = {}): Fields => ({
    client_id: client.id,
    redirect_uri: strictCallback,
    response_type: 'code',
    scope: 'openid',
    state: 'state',
    nonce: 'nonce',
    ...more,
  })
  const visit = (visitor: Visitor, params: Fields): Promise<Page> => {
    const given = Object.entries(params).filter(([, value]) => value !== '')
    return visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(given)}`)
  }
  const signIn = async (params: Fields): Promise<Page> => {
    const visitor = newVisitor()
    return await walk(visitor, await visit(visitor, params), ada)
  }

  it.each(all)('gets what %s promises, and each part vouches for the others', async (type) => {
    const page = await signIn(ask(old, { response_type: type }))
    const brought = broughtBy(page)
    const parts = new Set(type.split(' '))
    expect([page.location?.includes('#'), brought.state]).toEqual([type !== 'code', 'state'])
    expect(['code', 'id_token'].map((part) => part in brought)).toEqual([
      parts.has('code'),
      parts.has('id_token'),
    ])
    expect('access_token' in brought).toBe(parts.has('token'))
    // RFC 9207 §2.4: an ID token says who issued it, everything else needs `iss`.
    if (!parts.has('id_token')) expect(brought.iss).toBe(latchkey.issuer)
    if (parts.has('token')) {
      expect([brought.token_type, (await userinfo(latchkey, brought.access_token)).status]).toEqual([
        'Bearer',
        200,
      ])
    }
    if (parts.has('id_token')) {
      const keys = (await send(latchkey, '/jwks')).body as unknown as JSONWebKeySet
      const { payload } = await jwtVerify(String(brought.id_token), createLocalJWKSet(keys), {
        issuer: latchkey.issuer,
        audience: old.id,
      })
      expect(payload.nonce).toBe('nonce')
      expect(payload.c_hash).toBe(parts.has('code') ? half(brought.code) : undefined)
      expect(payload.at_hash).toBe(parts.has('token') ? half(brought.access_token) : undefined)
    }
    if (parts.has('code')) {
      const redeemed = await redeem(old, String(brought.code))
      expect([redeemed.status, typeof redeemed.body.access_token]).toEqual([200, 'string'])
    }
  })

  const redeem = (client: Application, code: string, more: Fields = {}) =>
    client.redeem({ code, verifier: '' }, { redirect_uri: strictCallback, ...more })

  it('gets no refresh token from the front, and no grant implicit at the token endpoint', async () => {
    const page = await signIn(
      ask(old, { response_type: 'code id_token token', scope: 'openid offline_access', prompt: 'consent' }),
    )
    expect(broughtBy(page).refresh_token).toBeUndefined()
    const answer = await old.credentials({ grant_type: 'implicit' })
    expect([answer.status, answer.body.error]).toEqual([400, 'unsupported_grant_type'])
  })

  it('loses the tokens from the front when its code comes again', async () => {
    const { code, access_token } = broughtBy(await signIn(ask(old, { response_type: 'code token' })))
    expect((await redeem(old, String(code))).status).toBe(200)
    expect((await redeem(old, String(code))).body.error).toBe('invalid_grant')
    expect((await userinfo(latchkey, access_token)).status).toBe(401)
  })

  describe('is as strict as any other in the rest', () => {
    it.each(all.slice(1))('as no token of %s stands in a query', async (type) => {
      const page = await visit(newVisitor(), ask(old, { response_type: type, response_mode: 'query' }))
      expect(broughtBy(page).error).toBe('invalid_request')
      expect(page.location).not.toMatch(/(code|token)=/)
    })

    it.each(all.filter((type) => type.includes('id_token')))('as %s needs a nonce', async (type) => {
      const page = await visit(newVisitor(), ask(old, { response_type: type, nonce: '' }))
      expect(broughtBy(page).error).toBe('invalid_request')
    })

    it('as a token alone is never given from the front', async () => {
      const page = await visit(newVisitor(), ask(old, { response_type: 'token' }))
      expect(refusalOf(page)).toEqual({ error: 'unsupported_response_type', description: named })
    })

    it('as plain PKCE is no PKCE', async () => {
      const page = await visit(
        newVisitor(),
        ask(old, { code_challenge: 'a'.repeat(43), code_challenge_method: 'plain' }),
      )
      expect(refusalOf(page)).toEqual({ error: 'invalid_request', description: named })
    })

    it('as a code with a challenge needs its verifier, and one without takes none', async () => {
      const { params, verifier } = await old.begin({ redirect_uri: strictCallback })
      const { code: withOne } = broughtBy(await signIn(params))
      expect((await redeem(old, String(withOne))).body.error).toBe('invalid_grant')
      const { code: without } = broughtBy(await signIn(ask(old)))
      const answer = await old.redeem({ code: String(without), verifier }, { redirect_uri: strictCallback })
      expect(answer.body.error).toBe('invalid_grant')
    })

    it('as redirect URIs are exact', async () => {
      const page = await visit(
        newVisitor(),
        ask(old, { response_type: 'id_token', redirect_uri: `${strictCallback}/` }),
      )
      expect([page.status, page.location]).toEqual([400, undefined])
    })

    it('as a public client needs PKCE for a code', async () => {
      const spa = await register(latchkey, { ...legacy, kind: 'spa' })
      const page = await visit(newVisitor(), ask(spa))
      expect(refusalOf(page)).toEqual({ error: 'invalid_request', description: named })
      const implicit = await visit(newVisitor(), ask(spa, { response_type: 'id_token' }))
      expect(implicit.location).toContain('/interaction/')
    })

    it('as it has the response types it is registered for, code alone where it names none', async () => {
      const plain = await register(latchkey, { profile: 'legacy', redirectUris: [strictCallback] })
      const page = await visit(newVisitor(), ask(plain, { response_type: 'id_token' }))
      expect(broughtBy(page).error).toBe('unauthorized_client')
      expect(await visit(newVisitor(), ask(plain))).toMatchObject({
        location: expect.stringContaining('/interaction/'),
      })
    })
  })

  describe('is off', () => {
    it('on a server that does not allow it: none can be made', async () => {
      await using strict = await startLatchkey()
      await expect(register(strict, legacy)).rejects.toMatchObject({
        code: 'clients.inconsistent',
        message: expect.stringContaining('LATCHKEY_CLIENTS_ALLOW_LEGACY'),
      })
    })

    it('on a server that allows it, for every client that is not marked: nothing follows from the setting', async () => {
      const usual = await register(latchkey, { redirectUris: [strictCallback] })
      for (const type of all) {
        const page = await visit(newVisitor(), ask(usual, { response_type: type }))
        expect(refusalOf(page).description).toContain(", as the client's security profile oauth-2.1 demands")
      }
    })

    it('at once when the operator takes it back: no sign-in, no refresh, no token, no answer about one', async () => {
      const database = await createDatabase(withKeys)
      const before = await startLatchkey({ databaseUrl: database.url, environment: allowed })
      await before.createUser(ada)
      const client = await before.createClient({ kind: 'web', name: 'Old', firstParty: true, ...legacy })
      const resource = await before.createClient({ kind: 'service', name: 'API' })
      const visitor = newVisitor()
      const shop = application(before, client)
      const page = await walk(
        visitor,
        await visitor.get(
          `${before.issuer}/auth?${new URLSearchParams(ask(shop, { response_type: 'code token', scope: 'openid offline_access', prompt: 'consent' }))}`,
        ),
        ada,
      )
      const { code, access_token } = broughtBy(page)
      const { body } = await redeem(shop, String(code))
      expect(typeof body.refresh_token).toBe('string')
      const second = broughtBy(
        await visitor.get(`${before.issuer}/auth?${new URLSearchParams(ask(shop))}`),
      ).code
      expect((await shop.introspect(access_token)).body.active).toBe(true)
      await before.close()

      const after = await startLatchkey({ databaseUrl: database.url })
      const again = application(after, client)
      const description =
        'this server does not allow the security profile or response types of the client (legacy)'
      const refusal = { error: 'unauthorized_client', description }
      expect(refusalOf(await again.refresh(body.refresh_token))).toEqual(refusal)
      expect(refusalOf(await redeem(again, String(second)))).toEqual(refusal)
      expect(refusalOf(await again.introspect(access_token))).toEqual(refusal)
      expect((await userinfo(after, access_token)).status).toBeGreaterThanOrEqual(400)
      const answer = await application(after, resource).introspect(access_token)
      expect(answer.body.active).not.toBe(true)
      const refused = await newVisitor().get(`${after.issuer}/auth?${new URLSearchParams(ask(again))}`)
      expect([refused.status, refused.location]).toEqual([400, undefined])
      await after.close()
      await database.drop()
    })
  })

  it('shows in discovery of a server that allows it, and not of another', async () => {
    const types = async (of: RunningLatchkey) =>
      (await send(of, '/.well-known/openid-configuration')).body.response_types_supported
    expect(await types(latchkey)).toEqual([...all, 'none'])
    await using strict = await startLatchkey()
    expect(await types(strict)).toEqual(['code', 'none'])
  })
})
