import { generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorIn } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  type Changes,
  refusalOf,
  type StrictParty,
  strictCallback,
  strictParty,
} from '../support/strict-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const profile = 'fapi-2-security'
const named = expect.stringContaining(`, as the client's security profile ${profile} demands`)

describe('a client of the profile fapi-2-security', () => {
  let latchkey: RunningLatchkey
  let bank: StrictParty

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    bank = await strictParty(latchkey, { profile, scopes: ['openid', 'email', 'offline_access'] })
  })
  afterAll(() => latchkey.close())

  describe.each(['ES256', 'PS256', 'EdDSA'])('that signs with %s', (algorithm) => {
    it('gets tokens bound to its key, and the response names the issuer (RFC 9207)', async () => {
      const party = await strictParty(latchkey, { profile }, algorithm)
      const visitor = newVisitor()
      const { page, ...code } = await party.signIn(visitor, ada)
      expect(new URL(page.location ?? '').searchParams.get('iss')).toBe(latchkey.issuer)
      const { status, body } = await party.redeem(code)
      expect([status, body.token_type]).toEqual([200, 'DPoP'])
      const { status: known, body: claims } = await party.userinfo(body.access_token)
      expect([known, typeof claims.sub]).toEqual([200, 'string'])
    })
  })

  it('signs its ID tokens with ES256 when nothing is said, as RS256 is not allowed', async () => {
    const { body } = await bank.redeem(await bank.signIn(newVisitor(), ada))
    const [header = ''] = String(body.id_token).split('.')
    expect(JSON.parse(Buffer.from(header, 'base64url').toString()).alg).toBe('ES256')
  })

  it('keeps its refresh token, which works for the holder of the key alone', async () => {
    const visitor = newVisitor()
    const { body } = await bank.redeem(await bank.signIn(visitor, ada, { scope: 'openid offline_access' }))
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) }
    for (let turn = 0; turn < 2; turn += 1) {
      const renewed = await bank.token(refresh)
      expect([renewed.status, renewed.body.refresh_token]).toEqual([200, body.refresh_token])
    }
    const without = await bank.token(refresh, { dpop: null })
    expect([without.status, refusalOf(without)]).toEqual([
      400,
      { error: 'invalid_grant', description: named },
    ])
  })

  describe('is refused, by name, at the authorization endpoint', () => {
    it.each([
      ['a request that was not pushed', {}],
      ['a request object that was not pushed', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
    ])('%s', async (_what, more) => {
      const { params } = await bank.begin(more)
      const page = await bank.visit(newVisitor(), params)
      expect(page.location?.startsWith(strictCallback)).toBe(true)
      expect(refusalOf(page)).toEqual({ error: 'invalid_request', description: named })
      expect(page.location).not.toContain('code=')
    })

    it('with an address that is not its own, on a page of ours', async () => {
      const { params } = await bank.begin({ redirect_uri: 'https://evil.test/' })
      const page = await bank.visit(newVisitor(), params)
      expect([page.status, page.location]).toEqual([400, undefined])
    })
  })

  describe('is refused, by name, when it pushes', () => {
    it.each([
      ['no challenge', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
      ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
      ['PKCE without a method', { code_challenge_method: '' }, 'invalid_request'],
      ['the hybrid flow', { response_type: 'code id_token' }, 'unsupported_response_type'],
      ['the implicit flow', { response_type: 'id_token token' }, 'unsupported_response_type'],
    ])('%s', async (_what, changes, error) => {
      const { params } = await bank.begin(changes)
      const form = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== ''))
      const answer = await bank.push(form)
      expect([answer.status, refusalOf(answer)]).toEqual([400, { error, description: named }])
    })
  })

  describe.each(['/request', '/token'])('is refused, by name, at %s', (path) => {
    const attempt = async (proofs: { assertion?: string | null; dpop?: string }, form = {}) => {
      const { params } = await bank.begin()
      return path === '/request'
        ? await bank.push({ ...params, ...form }, proofs)
        : await bank.token(
            { grant_type: 'authorization_code', code: 'x', redirect_uri: strictCallback, ...form },
            proofs,
          )
    }
    const seconds = () => Math.floor(Date.now() / 1000)

    it.each<[string, () => Changes]>([
      ['signed with a shared secret', () => ({ header: { alg: 'HS256' } })],
      ['not signed', () => ({ header: { alg: 'none' } })],
      ['for the token endpoint', () => ({ claims: { aud: `${latchkey.issuer}/token` } })],
      ['for the pushed requests', () => ({ claims: { aud: `${latchkey.issuer}/request` } })],
      ['for more than the issuer', () => ({ claims: { aud: [latchkey.issuer, 'https://other.test'] } })],
      ['for the issuer in a list', () => ({ claims: { aud: [latchkey.issuer] } })],
      ['from the future', () => ({ claims: { iat: seconds() + 90, exp: seconds() + 120 } })],
      ['for the future', () => ({ claims: { nbf: seconds() + 90, exp: seconds() + 120 } })],
    ])('with an assertion %s', async (_what, changes) => {
      const answer = await attempt({ assertion: await bank.assertion(changes()) })
      expect([answer.status, refusalOf(answer)]).toEqual([
        401,
        { error: 'invalid_client', description: named },
      ])
    })

    it('with an assertion signed by RS256 with its own RSA key', async () => {
      const rsa = await strictParty(latchkey, { profile }, 'PS256')
      const weak = await generateKeyPair('RS256', { extractable: true })
      const { params } = await rsa.begin()
      const answer = await rsa.push(params, {
        assertion: await rsa.assertion({ header: { alg: 'RS256' }, key: weak }),
      })
      expect([answer.status, refusalOf(answer)]).toEqual([
        401,
        { error: 'invalid_client', description: named },
      ])
    })

    it('with a secret', async () => {
      const answer = await attempt({ assertion: null }, { client_secret: 'any secret' })
      expect([answer.status, refusalOf(answer)]).toEqual([
        401,
        { error: 'invalid_client', description: named },
      ])
    })

    it('without any proof of who it is', async () => {
      const answer = await attempt({ assertion: null })
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
    })

    it.each<[string, () => Changes]>([
      ['signed with a shared secret', () => ({ header: { alg: 'HS256' } })],
      ['not signed', () => ({ header: { alg: 'none' } })],
      ['from the future', () => ({ claims: { iat: seconds() + 90 } })],
    ])('with a DPoP proof %s', async (_what, changes) => {
      const answer = await attempt({ dpop: await bank.proof(path, changes()) })
      expect([answer.status, refusalOf(answer)]).toEqual([
        400,
        { error: 'invalid_dpop_proof', description: named },
      ])
    })

    it('but not for clocks that run apart by some seconds', async () => {
      const assertion = await bank.assertion({ claims: { iat: seconds() + 10, nbf: seconds() + 8 } })
      const dpop = await bank.proof(path, { claims: { iat: seconds() + 8 } })
      const answer = await attempt({ assertion, dpop })
      expect(answer.body.error).toBe(path === '/request' ? undefined : 'invalid_grant')
    })
  })

  describe('keeps its code for itself', () => {
    it('as nobody redeems it without a proof of a key, and the code stays the owner’s', async () => {
      const code = await bank.signIn(newVisitor(), ada)
      const refused = await bank.redeem(code, { dpop: null })
      expect([refused.status, refusalOf(refused)]).toEqual([
        400,
        { error: 'invalid_grant', description: named },
      ])
      expect((await bank.redeem(code)).status).toBe(200)
    })

    it('as it works once, and what it gave ends when it comes again', async () => {
      const code = await bank.signIn(newVisitor(), ada)
      const first = await bank.redeem(code)
      expect(first.status).toBe(200)
      const again = await bank.redeem(code)
      expect([again.status, again.body.error]).toEqual([400, 'invalid_grant'])
      expect((await bank.userinfo(first.body.access_token)).status).toBe(401)
    })

    it('as a code bound to one key at the push is redeemed with that key alone', async () => {
      const visitor = newVisitor()
      await bank.signIn(visitor, ada)
      const bound = async () => {
        const { params, verifier } = await bank.begin()
        const { body } = await bank.push(params, { dpop: await bank.proof('/request') })
        const page = await visitor.follow(
          await bank.visit(visitor, { client_id: bank.id, request_uri: String(body.request_uri) }),
        )
        return { code: new URL(page.location ?? '').searchParams.get('code') ?? '', verifier }
      }
      const key = await generateKeyPair('ES256', { extractable: true })
      const stolen = await bank.redeem(await bound(), { dpop: await bank.proof('/token', { key }) })
      expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant'])
      expect((await bank.redeem(await bound())).status).toBe(200)
    })
  })

  it('gives its tokens to nobody: they open nothing without the key', async () => {
    const { body } = await bank.redeem(await bank.signIn(newVisitor(), ada))
    const key = await generateKeyPair('ES256', { extractable: true })
    expect((await bank.userinfo(body.access_token, { key })).status).toBe(401)
    const bearer = await fetch(`${latchkey.issuer}/me`, {
      headers: { authorization: `Bearer ${String(body.access_token)}` },
    })
    expect(bearer.status).toBe(401)
  })

  it('cannot be robbed of a pushed request: another client gets nothing by it, and it works once', async () => {
    const other = await strictParty(latchkey, { profile })
    const { params } = await bank.begin()
    const { request_uri = '' } = await bank.pushed(params)
    const foreign = await other.visit(newVisitor(), { client_id: other.id, request_uri })
    expect(foreign.location ?? '').not.toContain('/interaction/')
    expect(foreign.location ?? '').not.toContain('code=')
  })

  it('takes nothing from what stands beside a pushed request', async () => {
    const visitor = newVisitor()
    const { params } = await bank.begin({ state: 'inside' })
    await bank.signIn(visitor, ada)
    const query = await bank.pushed(params)
    const page = await visitor.follow(
      await bank.visit(visitor, {
        ...query,
        state: 'outside',
        redirect_uri: 'https://evil.test/',
        scope: 'openid email',
        response_mode: 'fragment',
        prompt: 'none',
      }),
    )
    const back = new URL(page.location ?? '')
    expect(back.origin + back.pathname).toBe(strictCallback)
    expect([back.searchParams.get('state'), errorIn(page), back.hash]).toEqual(['inside', null, ''])
  })

  it('as a service gets bound tokens alone', async () => {
    const service = await strictParty(latchkey, { profile, kind: 'service', redirectUris: [] })
    const ask = { grant_type: 'client_credentials' }
    const { status, body } = await service.token(ask)
    expect([status, body.token_type]).toEqual([200, 'DPoP'])
    const refused = await service.token(ask, { dpop: null })
    expect([refused.status, refusalOf(refused)]).toEqual([
      400,
      { error: 'invalid_grant', description: named },
    ])
  })
})
