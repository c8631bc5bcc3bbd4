import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { application } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const asked = {
  client_name: 'Agent',
  redirect_uris: ['https://app.example.com/callback'],
  token_endpoint_auth_method: 'none',
}
const open = { LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open', LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '100000' }

async function post(issuer: string, body: unknown) {
  const response = await fetch(`${issuer}/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

describe('a client that registers itself', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: open })
  })
  afterAll(() => latchkey?.close())

  it.each([
    ['https://app.example.com/redirectUris/authentication name', 'redirect_uris.0: '],
    ['com.example.app:/redirect', 'has a scheme of its own, which only clients of kind native'],
  ])('tells a fault of the redirect URI %s by its registered name', async (uri, text) => {
    const { body } = await post(latchkey.issuer, { client_name: 'Agent', redirect_uris: [uri] })
    expect(body).toMatchObject({ error: 'invalid_redirect_uri' })
    expect(body.error_description).toContain(text)
    expect(body.error_description).not.toContain('redirectUris.0')
  })

  it.each([
    [{ client_name: 'x'.repeat(1_000) }, /^client_name: /],
    [{ id_token_signed_response_alg: 'HS256' }, /^id_token_signed_response_alg: /],
    [{ contacts: 'a name' }, /^contacts: /],
    [{ token_endpoint_auth_method: 'private_key_jwt' }, /Give jwks or jwks_uri\.$/],
    [
      { token_endpoint_auth_method: 'client_secret_basic', tls_client_auth_subject_dn: 'CN=a' },
      /^tls_client_auth_subject_dn is of use .* or change token_endpoint_auth_method\.$/,
    ],
  ])('tells a fault of %j by its registered name, and never as one of redirect URIs', async (more, text) => {
    const { status, body } = await post(latchkey.issuer, { ...asked, ...more })
    expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_client_metadata' })
    expect(body.error_description).toMatch(text)
  })

  it.each([
    { token_endpoint_auth_method: 'federated_jwt' },
    { token_endpoint_auth_method: 'secret' },
    { token_endpoint_auth_method: 7 },
    { grant_types: ['client_credentials'], redirect_uris: [] },
  ])('offers no stranger to be known by tokens of others: %j', async (more) => {
    const { body } = await post(latchkey.issuer, { ...asked, ...more })
    expect(body.error).toBe('invalid_client_metadata')
    expect(body.error_description).toMatch(/^token_endpoint_auth_method must be one of /)
    expect(body.error_description).not.toContain('federated_jwt')
  })

  it('says which methods there are, and that only JSON is understood', async () => {
    const got = await fetch(`${latchkey.issuer}/reg`)
    expect([got.status, got.headers.get('allow'), await got.json()]).toEqual([
      405,
      'POST, OPTIONS',
      {
        error: 'invalid_request',
        error_description:
          'Use POST at the registration endpoint; use GET, PUT or DELETE at registration_client_uri.',
      },
    ])
    expect((await post(latchkey.issuer, '{')).body.error).toBe('invalid_request')
  })

  it('is warned of on the page that allows it, with the host to which the answer goes', async () => {
    const ada = { email: 'ada@example.test', name: 'Ada', password: 'analytical engine 1843' }
    await latchkey.createUser(ada)
    const uris = ['https://good.example/cb', 'https://other.example/cb', 'http://localhost:9/cb']
    const { body } = await post(latchkey.issuer, { ...asked, redirect_uris: uris })
    const agent = application(latchkey, { id: String(body.client_id), secret: '' })
    const warnings = ['other.example', 'Agent']
    for (const [index, redirect_uri] of uris.slice(1).entries()) {
      const visitor = newVisitor()
      const credentials = { identifier: ada.email, password: ada.password }
      const shown = await agent.visit(visitor, { redirect_uri })
      const page = await visitor.follow(await visitor.submit(shown, credentials, { action: '/password' }))
      expect(page.text).toContain(`Nobody here has checked Agent. It is what ${warnings[index]} says it is`)
    }
  })
})
