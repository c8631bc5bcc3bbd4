import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, application, codeIn, type Fields, send, walk } from '../support/application.ts'
import { newAuthority } from '../support/certificates.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', password: 'analytical engine 1843' }
const redirectUri = 'https://bank.example.test/callback'

describe('a client of the profile fapi-2-security with a certificate', () => {
  let latchkey: RunningLatchkey
  let bank: ReturnType<typeof application>
  let own: Fields
  let foreign: Fields

  beforeAll(async () => {
    latchkey = await startLatchkey({
      environment: {
        LATCHKEY_HOST_TRUSTED_PROXIES: '127.0.0.1,::1',
        LATCHKEY_MTLS_CERTIFICATE_HEADER: 'x-client-cert',
        LATCHKEY_MTLS_VERDICT_HEADER: 'x-client-verify',
        LATCHKEY_MTLS_CERTIFICATE_FORMAT: 'pem',
      },
    })
    await latchkey.createUser(ada)
    const authority = await newAuthority('Bank CA')
    const proven = async (subject: string): Promise<Fields> => ({
      'x-client-cert': encodeURIComponent((await authority.issue({ subject })).cert),
      'x-client-verify': 'SUCCESS',
    })
    own = await proven('C=DE, O=Example, CN=bank')
    foreign = await proven('C=DE, O=Example, CN=other')
    bank = application(
      latchkey,
      await latchkey.createClient({
        kind: 'web',
        name: 'Bank',
        profile: 'fapi-2-security',
        firstParty: true,
        redirectUris: [redirectUri],
        authentication: 'tls_client_auth',
        tlsClientAuthSubjectDn: 'CN=bank, O=Example, C=DE',
        tlsClientCertificateBoundAccessTokens: true,
      }),
    )
  })
  afterAll(() => latchkey.close())

  const push = async (headers: Fields): Promise<Answer & { readonly verifier: string }> => {
    const { params, verifier } = await bank.begin({ redirect_uri: redirectUri })
    return { ...(await send(latchkey, '/request', { headers, form: params })), verifier }
  }
  const me = (accessToken: unknown, headers: Fields): Promise<Answer> =>
    send(latchkey, '/me', { headers: { authorization: `Bearer ${String(accessToken)}`, ...headers } })

  it('pushes with its certificate alone', async () => {
    expect((await push({})).status).toBe(401)
    expect((await push(foreign)).status).toBe(401)
  })

  it('gets tokens that open user information with its certificate alone', async () => {
    const { body, verifier } = await push(own)
    const query = new URLSearchParams({ client_id: bank.id, request_uri: String(body.request_uri) })
    const visitor = newVisitor()
    const page = await walk(visitor, await visitor.get(`${latchkey.issuer}/auth?${query}`), ada)
    expect(new URL(page.location ?? '').searchParams.get('iss')).toBe(latchkey.issuer)
    const form = {
      client_id: bank.id,
      grant_type: 'authorization_code',
      code: codeIn(page),
      code_verifier: verifier,
      redirect_uri: redirectUri,
    }
    for (const headers of [{}, foreign])
      expect((await send(latchkey, '/token', { headers, form })).status).toBe(401)
    const tokens = await send(latchkey, '/token', { headers: own, form })
    expect(tokens).toMatchObject({ status: 200, body: { token_type: 'Bearer' } })
    expect((await me(tokens.body.access_token, own)).status).toBe(200)
    for (const headers of [{}, foreign])
      expect((await me(tokens.body.access_token, headers)).status).toBe(401)
    const known = await send(latchkey, '/token/introspection', {
      headers: own,
      form: { client_id: bank.id, token: String(tokens.body.access_token) },
    })
    expect(known.body).toMatchObject({ active: true, cnf: { 'x5t#S256': expect.any(String) } })
  })
})
