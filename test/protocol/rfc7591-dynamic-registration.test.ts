import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'

const callback = 'https://app.example.com/callback'
const asked = { client_name: 'Agent', redirect_uris: [callback], token_endpoint_auth_method: 'none' }
const open = { LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open', LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '100000' }

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

async function post(issuer: string, body: unknown, token?: string): Promise<Answer> {
  const response = await fetch(`${issuer}/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

describe('a server where registration is closed', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey()
  })
  afterAll(() => latchkey?.close())

  it('has no endpoint and names none', async () => {
    const response = await fetch(`${latchkey.issuer}/reg`, { method: 'POST' })
    expect(response.status).toBe(404)
    const discovery = (await (
      await fetch(`${latchkey.issuer}/.well-known/openid-configuration`)
    ).json()) as object
    expect(discovery).not.toHaveProperty('registration_endpoint')
    expect(discovery).not.toHaveProperty('client_id_metadata_document_supported')
  })
})

describe('a server where anybody may register', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: open })
  })
  afterAll(() => latchkey?.close())

  it('names the endpoint in both discovery documents', async () => {
    for (const document of ['openid-configuration', 'oauth-authorization-server']) {
      const discovery = await (await fetch(`${latchkey.issuer}/.well-known/${document}`)).json()
      expect(discovery).toMatchObject({ registration_endpoint: `${latchkey.issuer}/reg` })
    }
  })

  it('answers with what it registered and shows it to administrators with its origin, never first-party', async () => {
    const { status, body, headers } = await post(latchkey.issuer, {
      ...asked,
      scope: 'openid email admin',
      first_party: true,
      firstParty: true,
      unknown_member: { a: 1 },
    })
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toMatchObject({
      client_name: 'Agent',
      redirect_uris: [callback],
      scope: 'openid email',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      registration_client_uri: `${latchkey.issuer}/reg/${String(body.client_id)}`,
    })
    expect(body).not.toHaveProperty('unknown_member')
    expect(body).not.toHaveProperty('client_secret')
    const item = await latchkey.app.features.clients.resource.find(String(body.client_id))
    expect(item).toMatchObject({ origin: 'registration', firstParty: false, kind: 'spa', state: 'active' })
  })

  it('gives a secret once that works, and stores its hash alone', async () => {
    const { body } = await post(latchkey.issuer, { client_name: 'Site', redirect_uris: [callback] })
    expect(body).toMatchObject({
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret_expires_at: 0,
    })
    const client = await latchkey.app.features.clients.clients.find(String(body.client_id))
    expect(client?.secrets).toHaveLength(1)
    expect(JSON.stringify(client)).not.toContain(String(body.client_secret))
    const basic = Buffer.from(`${String(body.client_id)}:${String(body.client_secret)}`).toString('base64')
    const refused = await fetch(`${latchkey.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: 'x',
        redirect_uri: callback,
        code_verifier: 'v'.repeat(43),
      }),
    })
    expect(await refused.json()).toMatchObject({ error: 'invalid_grant' })
  })

  it.each([
    'javascript:alert(1)',
    'https://*.example.com/cb',
    'https://user:pass@example.com/cb',
    'https://example.com/cb#fragment',
    'http://example.com/cb',
    'data:text/html,hi',
    'not a uri',
    '',
    'https://example.com\\@evil.example/cb',
  ])('refuses the redirect URI %s', async (uri) => {
    const { status, body } = await post(latchkey.issuer, { ...asked, redirect_uris: [uri] })
    expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_redirect_uri' })
  })

  it.each([
    [
      {
        grant_types: ['client_credentials'],
        redirect_uris: undefined,
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    [{ grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'] }],
    [{ grant_types: ['implicit'] }],
    [{ response_types: ['token'] }],
    [{ response_types: ['none'] }],
    [
      {
        jwks: { keys: [{ kty: 'RSA', n: 'a', e: 'AQAB', d: 'secret' }] },
        token_endpoint_auth_method: 'private_key_jwt',
      },
    ],
    [{ jwks_uri: 'ftp://example.com/keys', token_endpoint_auth_method: 'private_key_jwt' }],
    [{ token_endpoint_auth_method: 'client_secret_jwt' }],
    [{ id_token_signed_response_alg: 'none' }],
    [{ client_name: 'a\u0000b' }],
    [{ client_name: 7 }],
    [{ logo_uri: 'http://example.com/logo.png' }],
    [{ software_statement: 'a.b.c' }],
  ])('refuses %o', async (more) => {
    const { status, body } = await post(latchkey.issuer, { ...asked, ...more })
    expect(status).toBe(400)
    expect(body.error).toMatch(/^invalid_(client_metadata|software_statement)$/)
    expect(String(body.error_description)).toMatch(/\.$/)
  })

  it('refuses what is no JSON object, too large or too deep', async () => {
    const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`
    for (const body of ['[]', 'null', '{', deep, '"text"', ''])
      expect(await post(latchkey.issuer, body)).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      })
    const large = await post(latchkey.issuer, `{"a":"${'x'.repeat(70_000)}"}`)
    expect(large.status).toBe(413)
    const form = await fetch(`${latchkey.issuer}/reg`, {
      method: 'POST',
      body: new URLSearchParams({ a: 'b' }),
    })
    expect(form.status).toBe(400)
  })

  it('takes no member from a prototype', async () => {
    const body = `{"client_name":"P","redirect_uris":["${callback}"],"token_endpoint_auth_method":"none","__proto__":{"firstParty":true,"scope":"admin"},"constructor":{"prototype":{"polluted":1}}}`
    const answer = await post(latchkey.issuer, body)
    expect(answer.status).toBe(201)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    const client = await latchkey.app.features.clients.clients.find(String(answer.body.client_id))
    expect(client).toMatchObject({ firstParty: false })
  })

  it('answers scripts of any page', async () => {
    const preflight = await fetch(`${latchkey.issuer}/reg`, {
      method: 'OPTIONS',
      headers: { origin: 'https://any.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('never fails whatever the metadata is', async () => {
    const names = [
      'redirect_uris',
      'client_name',
      'grant_types',
      'response_types',
      'scope',
      'jwks',
      'jwks_uri',
      'contacts',
      'token_endpoint_auth_method',
      'application_type',
      'subject_type',
      'sector_identifier_uri',
      'default_max_age',
      'software_statement',
      '__proto__',
      'policy_uri',
    ]
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(
        callback,
        [callback],
        'none',
        'native',
        ['authorization_code'],
        'https://[::1',
        '\u0000',
      ),
    )
    const metadata = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 8 })
    await fc.assert(
      fc.asyncProperty(metadata, async (body) => {
        const { status } = await post(latchkey.issuer, { ...asked, ...body })
        expect([201, 400]).toContain(status)
      }),
      { numRuns: 150 },
    )
  })
})

describe('a server whose policy gives newcomers the profile legacy', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    const policy = { profiles: ['legacy'], forced: { profile: 'legacy' } }
    latchkey = await startLatchkey({
      environment: {
        ...open,
        LATCHKEY_CLIENTS_ALLOW_LEGACY: 'true',
        LATCHKEY_CLIENT_REGISTRATIONS_POLICY: JSON.stringify(policy),
      },
    })
  })
  afterAll(() => latchkey?.close())

  it.each([
    [['implicit'], ['id_token', 'id_token token']],
    [
      ['authorization_code', 'implicit', 'refresh_token'],
      ['code', 'code id_token'],
    ],
  ])('takes the grant types %j for the response types %j, and so says it later', async (grants, types) => {
    const metadata = { ...asked, token_endpoint_auth_method: 'client_secret_basic' }
    const said = { grant_types: grants, response_types: types }
    const { status, body } = await post(latchkey.issuer, { ...metadata, ...said })
    expect({ status, body }).toMatchObject({ status: 201, body: said })
    const updated = await fetch(String(body.registration_client_uri), {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${String(body.registration_access_token)}`,
      },
      body: JSON.stringify({ ...metadata, ...said, client_id: body.client_id }),
    })
    expect(await updated.json()).toMatchObject(said)
    const client = await latchkey.app.features.clients.clients.find(String(body.client_id))
    expect(client).toMatchObject({ profile: 'legacy', responseTypes: types })
  })

  it('refuses implicit for what comes through the back channel alone', async () => {
    const said = { grant_types: ['authorization_code', 'implicit'], response_types: ['code'] }
    expect((await post(latchkey.issuer, { ...asked, ...said })).status).toBe(400)
  })
})

describe('limits', () => {
  it('slows down who registers too often, and stops at the maximum', async () => {
    await using latchkey = await startLatchkey({
      environment: {
        ...open,
        LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '3',
        LATCHKEY_CLIENT_REGISTRATIONS_MAXIMUM: '2',
      },
    })
    const statuses = []
    for (let n = 0; n < 4; n += 1) statuses.push((await post(latchkey.issuer, asked)).status)
    expect(statuses).toEqual([201, 201, 503, 429])
  })
})
