import { createHash, randomUUID } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, generateKeyPair } from 'jose'
import {
  type AuthorizationServer,
  allowInsecureRequests,
  discoveryRequest,
  expectNoState,
  processDiscoveryResponse,
  validateDetachedSignatureResponse,
  validateJwtAuthResponse,
} from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fields, walk } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  broughtBy,
  type Changes,
  refusalOf,
  type StrictParty,
  strictCallback,
  strictParty,
} from '../support/strict-party.ts'
import { newVisitor, type Page } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const profile = 'fapi-1-advanced'
const named = expect.stringContaining(`, as the client's security profile ${profile} demands`)
const insecure = { [allowInsecureRequests]: true }
/** Its tokens are bound to keys here, as no TLS stands before this server. */
const bound = { profile, dpopBoundAccessTokens: true }
const hybrid = { ...bound, responseTypes: ['code id_token', 'code'] }

describe('a client of the profile fapi-1-advanced', () => {
  let latchkey: RunningLatchkey
  let server: AuthorizationServer
  let bank: StrictParty

  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: { LATCHKEY_CLIENTS_ALLOW_HYBRID: 'true' } })
    await latchkey.createUser(ada)
    const issuer = new URL(latchkey.issuer)
    server = await processDiscoveryResponse(issuer, await discoveryRequest(issuer, insecure))
    bank = await strictParty(latchkey, hybrid)
  })
  afterAll(() => latchkey.close())

  const seconds = (): number => Math.floor(Date.now() / 1000)
  const signedRequest = async (party: StrictParty, more: Fields = {}, changes: Changes = {}) => {
    const { params, verifier } = await party.begin(more)
    const asked = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== ''))
    return { params, verifier, request: await party.requestObject(asked, changes) }
  }
  /** With the parameters that OAuth 2.0 wants to see, and the signed ones that count. */
  const bring = (party: StrictParty, request: string, more: Fields = {}): Promise<Page> =>
    party.visit(newVisitor(), {
      client_id: party.id,
      response_type: 'code',
      redirect_uri: strictCallback,
      scope: 'openid',
      request,
      ...more,
    })
  const responseOf = ({ location = '' }: Page): string => new URL(location).searchParams.get('response') ?? ''

  it.each(['ES256', 'PS256'])(
    'gets a code in a response signed with %s (JARM), and tokens',
    async (algorithm) => {
      const party = await strictParty(latchkey, { ...bound, idTokenAlgorithm: algorithm }, algorithm)
      const { params, verifier, request } = await signedRequest(party, { response_mode: 'jwt' })
      const visitor = newVisitor()
      const page = await walk(
        visitor,
        await party.visit(visitor, {
          client_id: party.id,
          request,
          response_type: 'code',
          redirect_uri: strictCallback,
        }),
        ada,
      )
      expect(decodeProtectedHeader(responseOf(page)).alg).toBe(algorithm)
      const given = await validateJwtAuthResponse(
        server,
        { client_id: party.id },
        new URL(page.location ?? ''),
        params.state ?? expectNoState,
        insecure,
      )
      const { status, body } = await party.redeem({ code: given.get('code') ?? '', verifier })
      expect([status, body.token_type]).toEqual([200, 'DPoP'])
    },
  )

  it('gets an ID token beside the code that vouches for code and state', async () => {
    const { params, verifier, request } = await signedRequest(bank, { response_type: 'code id_token' })
    const visitor = newVisitor()
    const page = await walk(visitor, await bank.visit(visitor, { client_id: bank.id, request }), ada)
    const given = await validateDetachedSignatureResponse(
      server,
      { client_id: bank.id, id_token_signed_response_alg: 'ES256' },
      new URL(page.location ?? ''),
      params.nonce ?? '',
      params.state ?? expectNoState,
      undefined,
      insecure,
    )
    const { s_hash } = decodeJwt(
      new URLSearchParams(new URL(page.location ?? '').hash.slice(1)).get('id_token') ?? '',
    )
    const half = createHash('sha256')
      .update(params.state ?? '')
      .digest()
      .subarray(0, 16)
    expect(s_hash).toBe(half.toString('base64url'))
    expect((await bank.redeem({ code: given.get('code') ?? '', verifier })).status).toBe(200)
  })

  it.each([
    ['the code', 'code', 'another-code'],
    ['the state', 'state', 'another-state'],
  ])('notices that somebody changed %s on the way', async (_what, name, value) => {
    const { params, request } = await signedRequest(bank, { response_type: 'code id_token' })
    const visitor = newVisitor()
    const page = await walk(visitor, await bank.visit(visitor, { client_id: bank.id, request }), ada)
    const location = new URL(page.location ?? '')
    const given = new URLSearchParams(location.hash.slice(1))
    given.set(name, value)
    location.hash = given.toString()
    await expect(
      validateDetachedSignatureResponse(
        server,
        { client_id: bank.id, id_token_signed_response_alg: 'ES256' },
        location,
        params.nonce ?? '',
        name === 'state' ? value : (params.state ?? expectNoState),
        undefined,
        insecure,
      ),
    ).rejects.toThrow()
  })

  describe('is refused, by name, at the authorization endpoint', () => {
    it('without a signed request', async () => {
      const { params } = await bank.begin({ response_mode: 'jwt' })
      const page = await bank.visit(newVisitor(), params)
      const { response_mode: _mode, ...plainly } = params
      for (const each of [page, await bank.visit(newVisitor(), plainly)])
        expect(refusalOf(each)).toEqual({ error: 'invalid_request', description: named })
    })

    it.each<[string, Fields, string]>([
      ['the mode query', { response_mode: 'query' }, 'invalid_request'],
      ['no mode with code, which means query', {}, 'invalid_request'],
      ['the mode fragment with code', { response_mode: 'fragment' }, 'invalid_request'],
      ['the mode form_post with code', { response_mode: 'form_post' }, 'invalid_request'],
      [
        'the mode query with an ID token',
        { response_type: 'code id_token', response_mode: 'query' },
        'invalid_request',
      ],
      ['plain PKCE', { response_mode: 'jwt', code_challenge_method: 'plain' }, 'invalid_request'],
      ['the implicit flow', { response_type: 'id_token token' }, 'unsupported_response_type'],
      ['a token from the front', { response_type: 'code token' }, 'unsupported_response_type'],
    ])('%s', async (_what, changes, error) => {
      const { request } = await signedRequest(bank, changes)
      const page = await bring(bank, request, { response_type: changes.response_type ?? 'code' })
      expect(refusalOf(page)).toEqual({ error, description: named })
      expect(page.location ?? '').not.toMatch(/[?&#](code|id_token|access_token)=/)
    })

    it.each<[string, () => Changes]>([
      ['not signed', () => ({ header: { alg: 'none' } })],
      ['signed with a shared secret', () => ({ header: { alg: 'HS256' } })],
      ['that does not begin (nbf)', () => ({ claims: { nbf: undefined } })],
      ['that does not end (exp)', () => ({ claims: { exp: undefined } })],
      ['valid for more than an hour', () => ({ claims: { exp: seconds() + 3_700 } })],
      ['that is older than an hour', () => ({ claims: { nbf: seconds() - 3_650 } })],
    ])('with a request object %s', async (_what, changes) => {
      const { request } = await signedRequest(bank, { response_type: 'code id_token' }, changes())
      const page = await bring(bank, request, { response_type: 'code id_token' })
      expect(refusalOf(page)).toEqual({ error: 'invalid_request_object', description: named })
    })

    it.each([
      ['EdDSA', 'EdDSA'],
      ['RS256', 'RS256'],
    ])('with a request object signed by %s, which FAPI 1.0 does not allow', async (alg, kind) => {
      const key = await generateKeyPair(kind, { extractable: true })
      const { params } = await bank.begin({ response_type: 'code id_token' })
      const request = await bank.requestObject(params, { header: { alg }, key })
      const page = await bring(bank, request, { response_type: 'code id_token' })
      expect(refusalOf(page)).toEqual({ error: 'invalid_request_object', description: named })
    })

    it.each(['none', 'HS256'])(
      'in a signed response with its state, where a request object by %s asks for it',
      async (alg) => {
        const { params, request } = await signedRequest(bank, { response_mode: 'jwt' }, { header: { alg } })
        const page = await bring(bank, request)
        expect(new URL(page.location ?? '').searchParams.has('response')).toBe(true)
        expect(broughtBy(page)).toMatchObject({ error: 'invalid_request_object', state: params.state })
      },
    )

    it('with an address that stands beside the signed request and not in it', async () => {
      const { request } = await signedRequest(bank, { redirect_uri: '', response_mode: 'jwt' })
      const page = await bring(bank, request)
      expect(page.location ?? page.text).toMatch(/redirect_uri/)
      expect(page.location ?? '').not.toContain('/interaction/')
    })

    it('when it pushes without PKCE', async () => {
      const changes = { response_mode: 'jwt', code_challenge: '', code_challenge_method: '' }
      const answer = await bank.push({ request: (await signedRequest(bank, changes)).request })
      expect([answer.status, refusalOf(answer)]).toEqual([
        400,
        { error: 'invalid_request', description: named },
      ])
    })
  })

  it('needs no PKCE where it does not push, as the signed response proves who asked', async () => {
    const changes = { response_mode: 'jwt', code_challenge: '', code_challenge_method: '' }
    const page = await bring(bank, (await signedRequest(bank, changes)).request)
    expect(page.location).toContain('/interaction/')
  })

  it('hears of a wrongly signed request from where it asks for a person elsewhere in the words of CIBA', async () => {
    const asking = await strictParty(latchkey, {
      ...bound,
      grantTypes: ['authorization_code', 'urn:openid:params:grant-type:ciba'],
    })
    const asked = { client_id: asking.id, scope: 'openid', login_hint: ada.email, jti: randomUUID() }
    for (const alg of ['none', 'HS256']) {
      const request = await asking.requestObject(asked, { header: { alg } })
      const answer = await asking.post('/backchannel', { request })
      expect([answer.status, refusalOf(answer)]).toEqual([
        400,
        { error: 'invalid_request', description: named },
      ])
    }
  })

  it('takes nothing from beside the signed request', async () => {
    const visitor = newVisitor()
    const { request } = await signedRequest(bank, { response_mode: 'jwt', state: 'inside', nonce: 'inside' })
    const page = await walk(
      visitor,
      await bank.visit(visitor, {
        client_id: bank.id,
        request,
        state: 'outside',
        nonce: 'outside',
        scope: 'openid email',
      }),
      ada,
    )
    expect(broughtBy(page).state).toBe('inside')
  })

  it('must send a nonce', async () => {
    const { request } = await signedRequest(bank, { response_mode: 'jwt', nonce: '' })
    const page = await bring(bank, request)
    expect(refusalOf(page).error).toBe('invalid_request')
  })

  it('gets no token that anybody could use', async () => {
    const ask = { grant_type: 'authorization_code', code: 'x', redirect_uri: strictCallback }
    const refused = await bank.token(ask, { dpop: null })
    expect([refused.status, refusalOf(refused)]).toEqual([
      400,
      { error: 'invalid_grant', description: named },
    ])
  })

  it('has its tokens bound to a certificate when nothing is said, and gets none without one', async () => {
    const party = await strictParty(latchkey, { profile })
    const ask = { grant_type: 'authorization_code', code: 'x', redirect_uri: strictCallback }
    for (const proofs of [{}, { dpop: null }]) {
      const refused = await party.token(ask, proofs)
      expect([refused.status, refusalOf(refused)]).toEqual([
        400,
        { error: 'invalid_grant', description: named },
      ])
    }
  })

  it('works with JARM alone where the server does not allow an ID token from the front', async () => {
    await using strict = await startLatchkey()
    await expect(strictParty(strict, hybrid)).rejects.toMatchObject({ code: 'clients.inconsistent' })
    const party = await strictParty(strict, bound)
    const { request } = await signedRequest(party, { response_type: 'code id_token' })
    const page = await bring(party, request, { response_type: 'code id_token' })
    expect(refusalOf(page)).toEqual({ error: 'unsupported_response_type', description: named })
  })
})
