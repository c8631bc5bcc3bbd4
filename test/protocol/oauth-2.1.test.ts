import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Application, codeIn, errorIn, register, walk } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { refusalOf } from '../support/strict-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const named = expect.stringContaining(", as the client's security profile oauth-2.1 demands")

describe.each([
  ['that says nothing of a profile', {}],
  ['of the profile oauth-2.1', { profile: 'oauth-2.1' }],
  ['of the profile oauth-2.1 on a server that allows legacy ones', { profile: 'oauth-2.1' }],
])('a client %s', (what, input) => {
  let latchkey: RunningLatchkey
  let shop: Application
  let spa: Application

  beforeAll(async () => {
    const environment = { LATCHKEY_CLIENTS_ALLOW_LEGACY: String(what.includes('legacy')) }
    latchkey = await startLatchkey({ environment })
    await latchkey.createUser(ada)
    shop = await register(latchkey, input)
    spa = await register(latchkey, { kind: 'spa', ...input })
  })
  afterAll(() => latchkey.close())

  const visit = async (client: Application, changes: Readonly<Record<string, string>>) => {
    const { params } = await client.begin(changes)
    const asked = Object.entries(params).filter(([, value]) => value !== '')
    return await newVisitor().get(`${latchkey.issuer}/auth?${new URLSearchParams(asked)}`)
  }

  it('signs in by code with PKCE, and its code works once', async () => {
    for (const client of [shop, spa]) {
      const code = await client.signIn(newVisitor(), ada)
      expect((await client.redeem(code)).status).toBe(200)
      expect((await client.redeem(code)).body.error).toBe('invalid_grant')
    }
  })

  it.each([
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }],
    ['plain PKCE', { code_challenge_method: 'plain' }],
    ['PKCE without a method, which means plain', { code_challenge_method: '' }],
  ])('is refused, by name, with %s', async (_what, changes) => {
    for (const client of [shop, spa]) {
      const page = await visit(client, changes)
      expect(refusalOf(page)).toEqual({ error: 'invalid_request', description: named })
    }
  })

  it.each(['token', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'])(
    'is refused, by name, with the response type %s, in whatever order',
    async (type) => {
      for (const written of [type, type.split(' ').toReversed().join(' ')]) {
        const page = await visit(shop, { response_type: written, nonce: 'n' })
        expect(refusalOf(page)).toEqual({
          error: expect.stringMatching(/^(unsupported_response_type|invalid_request)$/),
          description: named,
        })
        expect(page.location).not.toMatch(/[?&#](code|id_token|access_token)=/)
      }
    },
  )

  it('cannot go around PKCE by pushing', async () => {
    const { params } = await shop.begin()
    const { code_challenge, code_challenge_method, ...bare } = params
    expect([code_challenge?.length, code_challenge_method]).toEqual([43, 'S256'])
    const answer = await shop.push(bare)
    expect([answer.status, refusalOf(answer)]).toEqual([
      400,
      { error: 'invalid_request', description: named },
    ])
  })

  it('cannot redeem a code whose challenge was taken off on the way to the token', async () => {
    const visitor = newVisitor()
    const { params } = await shop.begin()
    const page = await walk(
      visitor,
      await visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`),
      ada,
    )
    const stolen = { code: codeIn(page), verifier: '' }
    expect((await shop.redeem(stolen)).body.error).toBe('invalid_grant')
  })

  it('may have its response in query, fragment and form', async () => {
    for (const mode of ['query', 'fragment', 'form_post']) {
      const page = await visit(shop, { response_mode: mode, prompt: 'none' })
      expect(`${page.location}${page.text}`).toContain('login_required')
    }
    expect(errorIn(await visit(shop, { response_mode: 'smoke' }))).toBe('unsupported_response_mode')
  })
})

describe('a client that is stricter than its profile', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
  })
  afterAll(() => latchkey.close())

  it('must push where it says so', async () => {
    const shop = await register(latchkey, { requirePushedAuthorizationRequests: true })
    const { params } = await shop.begin()
    expect(errorIn(await newVisitor().get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`))).toBe(
      'invalid_request',
    )
    const { body } = await shop.push(params)
    const query = new URLSearchParams({ client_id: shop.id, request_uri: String(body.request_uri) })
    const page = await newVisitor().get(`${latchkey.issuer}/auth?${query}`)
    expect(page.location).toContain('/interaction/')
  })

  it('gets no token without a proof of a key where it says so', async () => {
    const shop = await register(latchkey, { dpopBoundAccessTokens: true })
    const code = await shop.signIn(newVisitor(), ada)
    expect((await shop.redeem(code)).body.error).toBe('invalid_grant')
  })

  it('has its response in no other way than it says', async () => {
    const shop = await register(latchkey, { responseModes: ['form_post'] })
    const { params } = await shop.begin({ response_mode: 'query' })
    expect(errorIn(await newVisitor().get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`))).toBe(
      'invalid_request',
    )
  })

  it('asks for what it says of a sign-in where its request does not: its age and worth', async () => {
    const shop = await register(latchkey, { defaultMaxAge: 0 })
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const again = await visitor.get(
      `${latchkey.issuer}/auth?${new URLSearchParams((await shop.begin()).params)}`,
    )
    expect(again.location).toContain('/interaction/')
  })
})
