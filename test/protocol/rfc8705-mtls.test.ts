import { randomUUID } from 'node:crypto'
import { Agent as TlsAgent } from 'node:https'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import { Agent, fetch as undiciFetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Fields } from '../support/application.ts'
import { type Authority, type Issued, inFiles, newAuthority, selfSigned } from '../support/certificates.ts'
import { freePort, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { sendOverTls } from '../support/tls.ts'

const grant = { grant_type: 'client_credentials' }
const service = { kind: 'service', name: 'Bank', scopes: [] }
const subject = 'C=DE, O=Example, CN=bank'
const api = 'https://api.example.test/'
const apiOf = (tokenFormat: string) => ({
  indicator: `${api}${tokenFormat}`,
  name: tokenFormat,
  scopes: [{ name: 'read', description: 'Read' }],
  tokenFormat,
})

describe('clients with a certificate, where TLS ends at the server', () => {
  let authority: Authority
  let stranger: Authority
  let latchkey: RunningLatchkey
  let mtls: string
  let bank: { readonly id: string; readonly certificate: Issued }

  beforeAll(async () => {
    authority = await newAuthority('Bank CA')
    stranger = await newAuthority('Bank CA')
    const server = await authority.issue({
      subject: 'CN=localhost',
      names: [{ type: 'dns', value: 'localhost' }],
    })
    const files = await inFiles({ certificate: server.cert, key: server.key, ca: authority.cert })
    const [port, mtlsPort] = [await freePort(), await freePort()]
    mtls = `https://localhost:${mtlsPort}`
    latchkey = await startLatchkey({
      environment: {
        PORT: String(port),
        LATCHKEY_ISSUER: `https://localhost:${port}`,
        LATCHKEY_LISTEN_ADDRESS: 'localhost',
        LATCHKEY_TLS_CERTIFICATE_FILE: files.certificate,
        LATCHKEY_TLS_KEY_FILE: files.key,
        LATCHKEY_TLS_CLIENT_CA_FILE: files.ca,
        LATCHKEY_MTLS_URL: mtls,
      },
    })
    const certificate = await authority.issue({ subject })
    const { id } = await latchkey.createClient({
      ...service,
      scopes: ['read'],
      authentication: 'tls_client_auth',
      tlsClientAuthSubjectDn: 'CN=bank,O=Example,C=DE',
      tlsClientCertificateBoundAccessTokens: true,
    })
    bank = { id, certificate }
    await latchkey.createApi(apiOf('jwt'))
  })
  afterAll(() => latchkey.close())

  const ask = (certificate: Issued | undefined, form: Fields = {}, path = '/token') =>
    sendOverTls(mtls + path, { ca: authority.cert, certificate, form: { client_id: bank.id, ...form } })
  const token = (certificate: Issued | undefined, form: Fields = {}) =>
    ask(certificate, { ...grant, ...form })
  const told = ({ status, body }: Answer) => [status, body.error]

  it('finds the endpoints for certificates in the discovery document', async () => {
    const { body } = await sendOverTls(`${latchkey.issuer}/.well-known/openid-configuration`, {
      ca: authority.cert,
    })
    expect(body.token_endpoint).toBe(`${latchkey.issuer}/token`)
    expect(body.mtls_endpoint_aliases).toMatchObject({
      token_endpoint: `${mtls}/token`,
      userinfo_endpoint: `${mtls}/me`,
      pushed_authorization_request_endpoint: `${mtls}/request`,
      introspection_endpoint: `${mtls}/token/introspection`,
      revocation_endpoint: `${mtls}/token/revocation`,
    })
    expect(body.tls_client_certificate_bound_access_tokens).toBe(true)
    expect(body.token_endpoint_auth_methods_supported).toEqual(
      expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']),
    )
  })

  it('gives oauth4webapi a token bound to its certificate', async () => {
    const dispatcher = new Agent({
      connect: { ca: authority.cert, cert: bank.certificate.cert, key: bank.certificate.key },
    })
    const customFetch = ((url: string, init: object) =>
      undiciFetch(url, { ...init, dispatcher } as never)) as unknown as typeof fetch
    const options = { [oauth.customFetch]: customFetch } as const
    const issuer = new URL(latchkey.issuer)
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
    const client = { client_id: bank.id, use_mtls_endpoint_aliases: true }
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.TlsClientAuth(),
      { resource: `${api}jwt`, scope: 'read' },
      options,
    )
    const { access_token } = await oauth.processClientCredentialsResponse(server, client, response)
    expect(decodeJwt(access_token).cnf).toEqual({ 'x5t#S256': bank.certificate.thumbprint })
    await dispatcher.close()
  })

  it('tells introspection which certificate an opaque token is bound to', async () => {
    const { status, body } = await token(bank.certificate)
    expect(status).toBe(200)
    const seen = await ask(bank.certificate, { token: String(body.access_token) }, '/token/introspection')
    expect(seen.body).toMatchObject({ active: true, cnf: { 'x5t#S256': bank.certificate.thumbprint } })
  })

  it.each<[string, () => Promise<Issued | undefined>]>([
    ['no certificate', async () => undefined],
    ['one of another authority with the same name and subject', () => stranger.issue({ subject })],
    ['one that nobody has signed', () => selfSigned({ subject })],
    ['one that has expired', () => authority.issue({ subject, notAfter: new Date(Date.now() - 1_000) })],
    [
      'one that is not valid yet',
      () => authority.issue({ subject, notBefore: new Date(Date.now() + 60_000) }),
    ],
    ['one for servers alone', () => authority.issue({ subject, purposes: ['1.3.6.1.5.5.7.3.1'] })],
    ['the one of another client', () => authority.issue({ subject: 'C=DE, O=Example, CN=shop' })],
    ['one with the names in another order', () => authority.issue({ subject: 'CN=bank, O=Example, C=DE' })],
    ['one with a name more', () => authority.issue({ subject: 'C=DE, O=Example, CN=bank, CN=bank' })],
    [
      'one with the whole name inside one value',
      () => authority.issue({ subject: 'CN=bank\\,O=Example\\,C=DE' }),
    ],
  ])('is not believed with %s', async (_what, issue) => {
    expect(told(await token(await issue()))).toEqual([401, 'invalid_client'])
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is worth no more and no less in a session of %s that is resumed',
    async (maxVersion) => {
      const twice = async (certificate: Issued) => {
        const agent = new TlsAgent({ keepAlive: false, maxVersion })
        const sending = { ca: authority.cert, certificate, form: { client_id: bank.id, ...grant }, agent }
        const first = await sendOverTls(`${mtls}/token`, sending)
        const second = await sendOverTls(`${mtls}/token`, sending)
        return [first, second].map(({ status, resumed }) => `${status} ${resumed ? 'resumed' : 'anew'}`)
      }
      expect(await twice(bank.certificate)).toEqual(['200 anew', '200 resumed'])
      expect(await twice(await selfSigned({ subject }))).toEqual(['401 anew', '401 resumed'])
    },
  )

  it.each<[string, Fields, object]>([
    [
      'the DNS name',
      { tlsClientAuthSanDns: 'bank.example.test' },
      { type: 'dns', value: 'BANK.example.test' },
    ],
    [
      'the URI',
      { tlsClientAuthSanUri: 'spiffe://example.test/bank' },
      { type: 'url', value: 'spiffe://example.test/bank' },
    ],
    ['the address', { tlsClientAuthSanIp: '192.0.2.7' }, { type: 'ip', value: '192.0.2.7' }],
    ['the IPv6 address', { tlsClientAuthSanIp: '2001:db8:0:0::7' }, { type: 'ip', value: '2001:db8::7' }],
    [
      'the mail address',
      { tlsClientAuthSanEmail: 'bank@example.test' },
      { type: 'email', value: 'bank@EXAMPLE.test' },
    ],
  ])('is known by %s in its certificate', async (_what, field, name) => {
    const { id } = await latchkey.createClient({ ...service, authentication: 'tls_client_auth', ...field })
    const right = await authority.issue({ names: [name] as never })
    const wrong = await authority.issue({
      subject: `CN=${Object.values(field)[0]}`,
      names: [{ type: 'dns', value: 'other.test' }],
    })
    expect((await token(right, { client_id: id })).status).toBe(200)
    expect(told(await token(wrong, { client_id: id }))).toEqual([401, 'invalid_client'])
  })

  it('shows the certificate that it has registered (self-signed), and no other', async () => {
    const own = await selfSigned()
    const { id } = await latchkey.createClient({
      ...service,
      authentication: 'self_signed_tls_client_auth',
      jwks: { keys: [own.jwk] },
    })
    expect((await token(own, { client_id: id })).status).toBe(200)
    expect(told(await token(await selfSigned(), { client_id: id }))).toEqual([401, 'invalid_client'])
    expect(told(await token(bank.certificate, { client_id: id }))).toEqual([401, 'invalid_client'])
    expect(told(await token(own))).toEqual([401, 'invalid_client'])
  })

  describe('at the two hosts', () => {
    const ports = () => ({
      own: Number(new URL(latchkey.issuer).port),
      certificates: Number(new URL(mtls).port),
    })

    it.each([
      '/',
      '/auth?client_id=latchkey',
      '/.well-known/openid-configuration',
      '/jwks',
      '/assets/latchkey.css',
      '/interaction/x',
      '/TOKEN',
      '/token/',
      '//token',
      '/health/live',
    ])('is served no %s where certificates are asked for', async (path) => {
      const sending = { ca: authority.cert, certificate: bank.certificate }
      const { status, text } = await sendOverTls(mtls + path, {
        ...sending,
        headers: { accept: 'application/json' },
      })
      expect(status).toBe(421)
      expect(text).toContain('Nothing but the endpoints of mtls_endpoint_aliases is answered here.')
    })

    it('is served at each port for its own host alone', async () => {
      const form = { client_id: bank.id, ...grant }
      const { own, certificates } = ports()
      const sending = { ca: authority.cert, certificate: bank.certificate, form }
      expect((await sendOverTls(`${latchkey.issuer}/token`, { ...sending, port: certificates })).status).toBe(
        421,
      )
      expect((await sendOverTls(`${mtls}/token`, { ...sending, port: own })).status).toBe(421)
      expect(
        (
          await sendOverTls('https://evil.test/token', { ...sending, port: certificates, headers: {} }).catch(
            () => ({ status: 421 }),
          )
        ).status,
      ).toBe(421)
    })

    it('proves nothing at the issuer’s own host, where nobody asks for its certificate', async () => {
      const answer = await sendOverTls(`${latchkey.issuer}/token`, {
        ca: authority.cert,
        certificate: bank.certificate,
        form: { client_id: bank.id, ...grant },
      })
      expect(told(answer)).toEqual([401, 'invalid_client'])
    })

    it('proves its key by DPoP for the address that it called', async () => {
      const { id } = await latchkey.createClient({
        ...service,
        authentication: 'tls_client_auth',
        tlsClientAuthSubjectDn: 'CN=bank,O=Example,C=DE',
        dpopBoundAccessTokens: true,
      })
      const key = await generateKeyPair('ES256', { extractable: true })
      const proof = async (htu: string) =>
        await new SignJWT({ htm: 'POST', htu, jti: randomUUID(), iat: Math.floor(Date.now() / 1000) })
          .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(key.publicKey) })
          .sign(key.privateKey)
      const sending = { ca: authority.cert, certificate: bank.certificate, form: { client_id: id, ...grant } }
      const right = await sendOverTls(`${mtls}/token`, {
        ...sending,
        headers: { dpop: await proof(`${mtls}/token`) },
      })
      expect([right.status, right.body.token_type]).toEqual([200, 'DPoP'])
      const wrong = await sendOverTls(`${mtls}/token`, {
        ...sending,
        headers: { dpop: await proof(`${latchkey.issuer}/token`) },
      })
      expect(told(wrong)).toEqual([400, 'invalid_dpop_proof'])
    })

    it('sends people to the pages of the issuer’s host', async () => {
      const { id } = await latchkey.createClient({
        kind: 'web',
        name: 'TV',
        authentication: 'tls_client_auth',
        tlsClientAuthSubjectDn: 'CN=bank,O=Example,C=DE',
        grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'],
      })
      const { body } = await ask(bank.certificate, { client_id: id, scope: 'openid' }, '/device/auth')
      expect(body.verification_uri).toMatch(new RegExp(`^${latchkey.issuer}/`))
    })

    it('cannot send its certificate in a header', async () => {
      const headers = { 'client-cert': `:${bank.certificate.der}:`, 'x-ssl-client-verify': 'SUCCESS' }
      const form = { client_id: bank.id, ...grant }
      expect(told(await sendOverTls(`${mtls}/token`, { ca: authority.cert, headers, form }))).toEqual([
        401,
        'invalid_client',
      ])
    })
  })
})
