import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, text } from '../../support/any-input.ts'
import { type RunningLatchkey, startLatchkey } from '../../support/latchkey.ts'

const valid = {
  redirect_uris: ['https://app.example.test/callback'],
  client_name: 'An application',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
}
const names = [
  ...['redirect_uris', 'post_logout_redirect_uris', 'grant_types', 'response_types', 'response_modes'],
  ...['client_name', 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'contacts', 'jwks', 'jwks_uri'],
  ...['token_endpoint_auth_method', 'token_endpoint_auth_signing_alg', 'id_token_signed_response_alg'],
  ...['id_token_encrypted_response_alg', 'userinfo_signed_response_alg', 'request_object_signing_alg'],
  ...['subject_type', 'default_max_age', 'require_auth_time', 'default_acr_values', 'initiate_login_uri'],
  ...['authorization_details_types', 'backchannel_logout_uri', 'frontchannel_logout_uri', 'scope'],
  ...['backchannel_token_delivery_mode', 'tls_client_auth_subject_dn', 'tls_client_auth_san_ip'],
  ...['dpop_bound_access_tokens', 'application_type', 'software_statement', 'software_id', 'client_id'],
]

describe('client metadata of any JSON', () => {
  let latchkey: RunningLatchkey

  beforeAll(async () => {
    latchkey = await startLatchkey({
      environment: {
        LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open',
        LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '100000',
        LATCHKEY_CLIENT_REGISTRATIONS_MAXIMUM: '100000',
        LATCHKEY_HOST_FAILURES_PER_MINUTE: '100000',
      },
    })
  })
  afterAll(() => latchkey.close())

  const post = (body: string): Promise<Response> =>
    fetch(`${latchkey.issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })

  const metadata = fc.oneof(
    fc
      .dictionary(fc.oneof(fc.constantFrom(...names), text), json, { maxKeys: 4 })
      .map((more) => ({ ...valid, ...more })),
    fc.constantFrom(...names).chain((name) => json.map((value) => ({ ...valid, [name]: value }))),
    json,
  )

  it('is refused, or makes a client that is told back as it is', async () => {
    await fc.assert(
      fc.asyncProperty(metadata, async (given) => {
        const response = await post(JSON.stringify(given) ?? '')
        const told = (await response.json()) as Readonly<Record<string, unknown>>
        if (response.status !== 201) {
          expect([response.status, typeof told.error]).toEqual([400, 'string'])
          return
        }
        const { registration_client_uri: uri, registration_access_token: token } = told
        const again = await fetch(String(uri), { headers: { authorization: `Bearer ${String(token)}` } })
        const { client_secret: _once, client_secret_expires_at: _expires, ...lasting } = told
        expect([again.status, await again.json()]).toEqual([200, expect.objectContaining(lasting)])
      }),
      { numRuns: 120 },
    )
    expect(latchkey.logged.filter((line) => line.startsWith('{"level":"error"'))).toEqual([])
  })

  it('that is no JSON is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (body) => {
        fc.pre(!isJson(body))
        expect((await post(body)).status).toBe(400)
      }),
      { numRuns: 50 },
    )
  })
})

function isJson(body: string): boolean {
  try {
    JSON.parse(body)
    return true
  } catch {
    return false
  }
}
