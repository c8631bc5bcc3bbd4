import { decodeProtectedHeader, generateKeyPair } from 'jose'
import {
  type AuthorizationServer,
  allowInsecureRequests,
  discoveryRequest,
  expectNoState,
  processDiscoveryResponse,
  validateJwtAuthResponse,
} from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Fields } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  broughtBy,
  type Changes,
  refusalOf,
  type StrictParty,
  strictCallback,
  strictParty,
} from '../support/strict-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const profile = 'fapi-2-message-signing'
const named = expect.stringContaining(`, as the client's security profile ${profile} demands`)
const insecure = { [allowInsecureRequests]: true }

describe('a client of the profile fapi-2-message-signing', () => {
  let latchkey: RunningLatchkey
  let server: AuthorizationServer
  let bank: StrictParty

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const issuer = new URL(latchkey.issuer)
    server = await processDiscoveryResponse(issuer, await discoveryRequest(issuer, insecure))
    bank = await strictParty(latchkey, { profile })
  })
  afterAll(() => latchkey.close())

  const seconds = (): number => Math.floor(Date.now() / 1000)
  const ask = async (more: Fields = {}, changes: Changes = {}) => {
    const { params, verifier } = await bank.begin({ response_mode: 'jwt', ...more })
    const asked = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== ''))
    return { params, verifier, request: await bank.requestObject(asked, changes) }
  }

  it.each(['ES256', 'PS256', 'EdDSA'])(
    'signs its request, and gets a response that is signed with %s, and tokens',
    async (algorithm) => {
      const party = await strictParty(latchkey, { profile, idTokenAlgorithm: algorithm }, algorithm)
      const { page, params, verifier } = await party.signIn(newVisitor(), ada, {
        signed: true,
        response_mode: 'jwt',
      })
      const location = new URL(page.location ?? '')
      expect([...location.searchParams.keys()]).toEqual(['response'])
      expect(decodeProtectedHeader(location.searchParams.get('response') ?? '').alg).toBe(algorithm)
      const given = await validateJwtAuthResponse(
        server,
        { client_id: party.id },
        location,
        params.state ?? expectNoState,
        insecure,
      )
      const { status, body } = await party.redeem({ code: given.get('code') ?? '', verifier })
      expect([status, body.token_type]).toEqual([200, 'DPoP'])
    },
  )

  it.each(['query.jwt', 'fragment.jwt', 'form_post.jwt'])('may have its response as %s', async (mode) => {
    const visitor = newVisitor()
    await bank.signIn(visitor, ada, { signed: true, response_mode: 'jwt' })
    const { request } = await ask({ response_mode: mode })
    const page = await visitor.follow(await bank.visit(visitor, await bank.pushed({ request })))
    expect(broughtBy(page)).toMatchObject({ iss: latchkey.issuer, aud: bank.id, code: expect.any(String) })
  })

  it('is told errors in a signed response too', async () => {
    const { request } = await ask({ prompt: 'none' })
    const page = await bank.visit(newVisitor(), await bank.pushed({ request }))
    expect(broughtBy(page)).toMatchObject({ iss: latchkey.issuer, aud: bank.id, error: 'login_required' })
  })

  describe('is refused, by name, when it pushes', () => {
    it('parameters that are not signed', async () => {
      const { params } = await bank.begin({ response_mode: 'jwt' })
      const answer = await bank.push(params)
      expect([answer.status, refusalOf(answer)]).toEqual([
        400,
        { error: 'invalid_request', description: named },
      ])
    })

    it.each<[string, Fields, string]>([
      ['the mode query', { response_mode: 'query' }, 'invalid_request'],
      ['no mode, which means query', { response_mode: '' }, 'invalid_request'],
      ['the mode form_post', { response_mode: 'form_post' }, 'invalid_request'],
      ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
      ['no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
      ['the hybrid flow', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ])('%s', async (_what, changes, error) => {
      const answer = await bank.push({ request: (await ask(changes)).request })
      expect([answer.status, refusalOf(answer)]).toEqual([400, { error, description: named }])
    })

    it.each<[string, () => Changes]>([
      ['not signed', () => ({ header: { alg: 'none' } })],
      ['signed with a shared secret', () => ({ header: { alg: 'HS256' } })],
      ['that does not begin (nbf)', () => ({ claims: { nbf: undefined } })],
      ['that does not end (exp)', () => ({ claims: { exp: undefined } })],
      ['valid for more than an hour', () => ({ claims: { exp: seconds() + 3_700 } })],
      ['that ends before it begins', () => ({ claims: { nbf: seconds() + 10, exp: seconds() + 5 } })],
      ['that is older than an hour', () => ({ claims: { nbf: seconds() - 3_650 } })],
    ])('a request object %s', async (_what, changes) => {
      const answer = await bank.push({ request: (await ask({}, changes())).request })
      expect([answer.status, refusalOf(answer)]).toEqual([
        400,
        { error: 'invalid_request_object', description: named },
      ])
    })

    it.each(['nbf', 'exp'])('a request object without %s, which it is told', async (claim) => {
      const answer = await bank.push({ request: (await ask({}, { claims: { [claim]: undefined } })).request })
      expect(refusalOf(answer).description).toContain(
        `the claim ${claim}, as the client's security profile ${profile} demands`,
      )
    })

    it('a request object signed by RS256', async () => {
      const party = await strictParty(latchkey, { profile }, 'PS256')
      const { params } = await party.begin({ response_mode: 'jwt' })
      const key = await generateKeyPair('RS256', { extractable: true })
      const request = await party.requestObject(params, { header: { alg: 'RS256' }, key })
      const answer = await party.push({ request })
      expect([answer.status, refusalOf(answer)]).toEqual([
        400,
        { error: 'invalid_request_object', description: named },
      ])
    })

    it.each(['response_type', 'redirect_uri', 'code_challenge'])(
      'a %s that stands beside the signed request and not in it',
      async (name) => {
        const { params, request } = await ask({ [name]: '' })
        const complete = (await bank.begin()).params
        const answer = await bank.push({ request, [name]: complete[name] ?? params[name] ?? '' })
        expect([answer.status, refusalOf(answer)]).toEqual([
          400,
          { error: 'invalid_request', description: named },
        ])
      },
    )

    it.each<[string, Changes]>([
      ['for another server', { claims: { aud: 'https://other.test' } }],
      ['of another client', { claims: { iss: 'another', client_id: 'another' } }],
    ])('a request object %s', async (_what, changes) => {
      const answer = await bank.push({ request: (await ask({}, changes)).request })
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request_object'])
    })
  })

  it('takes nothing from beside the signed request, neither at the push nor in the browser', async () => {
    const { request } = await ask({ state: 'inside' })
    const beside = { state: 'outside', scope: 'openid email', redirect_uri: 'https://evil.test/' }
    const query = await bank.pushed({ request, ...beside })
    const visitor = newVisitor()
    await bank.signIn(visitor, ada, { signed: true, response_mode: 'jwt' })
    const page = await visitor.follow(
      await bank.visit(visitor, { ...query, ...beside, response_mode: 'query' }),
    )
    const location = new URL(page.location ?? '')
    expect(location.origin + location.pathname).toBe(strictCallback)
    const { state, code } = broughtBy(page)
    expect([state, typeof code, location.searchParams.get('code')]).toEqual(['inside', 'string', null])
  })

  it('is refused, by name, at the authorization endpoint without a push, signed or not', async () => {
    const { params, request } = await ask()
    for (const query of [params, { client_id: bank.id, request, redirect_uri: strictCallback }]) {
      const page = await bank.visit(newVisitor(), { ...query, response_mode: 'query' })
      expect(refusalOf(page)).toEqual({ error: 'invalid_request', description: named })
    }
  })
})
