import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Application, type Fields, register, send } from '../support/application.ts'
import { type Authority, type Issued, newAuthority, selfSigned } from '../support/certificates.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const grant = { grant_type: 'client_credentials' }
const service = { kind: 'service', name: 'Bank', scopes: [] }
const subject = 'C=DE, O=Example, CN=bank'

describe('clients with a certificate, behind a proxy', () => {
  let authority: Authority
  let latchkey: RunningLatchkey
  let bank: { readonly id: string; readonly certificate: Issued }
  const named = { certificate: 'x-client-cert', verdict: 'x-client-verify' }

  const started = async (environment: Fields = {}) =>
    await startLatchkey({
      environment: {
        LATCHKEY_HOST_TRUSTED_PROXIES: '127.0.0.1,::1',
        LATCHKEY_MTLS_CERTIFICATE_HEADER: named.certificate,
        LATCHKEY_MTLS_VERDICT_HEADER: named.verdict,
        LATCHKEY_MTLS_CERTIFICATE_FORMAT: 'pem',
        ...environment,
      },
    })
  const registered = async (server: RunningLatchkey) =>
    (
      await server.createClient({
        ...service,
        authentication: 'tls_client_auth',
        tlsClientAuthSubjectDn: 'cn=Bank, o=Example, c=de',
        tlsClientCertificateBoundAccessTokens: true,
      })
    ).id
  const ask = (headers: Fields, server = latchkey, id = bank.id, form: Fields = grant, path = '/token') =>
    send(server, path, { headers, form: { client_id: id, ...form } })
  const proven = ({ cert }: Issued, verdict = 'SUCCESS') => ({
    [named.certificate]: encodeURIComponent(cert),
    [named.verdict]: verdict,
  })

  beforeAll(async () => {
    authority = await newAuthority('Bank CA')
    latchkey = await started()
    bank = { id: await registered(latchkey), certificate: await authority.issue({ subject }) }
  })
  afterAll(() => latchkey.close())

  it.each<[string, (certificate: Issued) => string]>([
    ['pem', ({ cert }) => encodeURIComponent(cert)],
    ['rfc9440', ({ der }) => `:${der}:`],
    ['der', ({ der }) => der],
    [
      'xfcc',
      ({ cert }) =>
        `By=spiffe://a/b;Hash=00;Cert="${encodeURIComponent(cert)}";Subject="CN=bank;Cert=x,O=\\"Example\\""`,
    ],
  ])('get a token by a header in the format %s', async (format, write) => {
    await using server = await started({ LATCHKEY_MTLS_CERTIFICATE_FORMAT: format })
    const id = await registered(server)
    const headers = { [named.certificate]: write(bank.certificate), [named.verdict]: 'SUCCESS' }
    expect((await ask(headers, server, id)).status).toBe(200)
    const twice = { ...headers, [named.certificate]: `${write(bank.certificate)},${write(bank.certificate)}` }
    expect((await ask(twice, server, id)).status).toBe(401)
  })

  it('get a token by PEM with spaces for the ends of its lines, as Apache writes it', async () => {
    const { cert } = bank.certificate
    const spaced = { ...proven(bank.certificate), [named.certificate]: cert.replaceAll('\n', ' ') }
    expect((await ask(spaced)).status).toBe(200)
    const twice = { ...spaced, [named.certificate]: `${cert}${cert}`.replaceAll('\n', ' ') }
    expect((await ask(twice)).status).toBe(401)
  })

  it('get nothing at another host than theirs, where they have one, even if the proxy forgot to clear the headers', async () => {
    await using server = await started({ LATCHKEY_MTLS_URL: 'https://mtls.example.test' })
    const id = await registered(server)
    expect((await ask(proven(bank.certificate), server, id)).status).toBe(401)
    const there = { ...proven(bank.certificate), host: 'mtls.example.test' }
    expect((await ask(there, server, id)).status).toBe(200)
  })

  it('get nothing where the peer is no proxy of ours, whatever it sends', async () => {
    await using server = await started({ LATCHKEY_HOST_TRUSTED_PROXIES: '192.0.2.1' })
    const id = await registered(server)
    const headers = { ...proven(bank.certificate), 'x-forwarded-for': '192.0.2.1' }
    expect((await ask(headers, server, id)).body.error).toBe('invalid_client')
    const plain = await server.createClient({
      ...service,
      authentication: 'client_secret_post',
      tlsClientCertificateBoundAccessTokens: true,
    })
    const bound = await ask(headers, server, plain.id, { ...grant, client_secret: plain.secret })
    expect([bound.status, bound.body.error]).toEqual([400, 'invalid_grant'])
  })

  it.each<[string, () => Promise<Readonly<Record<string, string>>>]>([
    ['no verdict', async () => ({ [named.certificate]: encodeURIComponent(bank.certificate.cert) })],
    ['a verdict and no certificate', async () => ({ [named.verdict]: 'SUCCESS' })],
    [
      'a verdict that it is not verified',
      async () => proven(bank.certificate, 'FAILED:self-signed certificate'),
    ],
    ['a verdict of nothing', async () => proven(bank.certificate, 'NONE')],
    [
      'two certificates',
      async () => ({
        ...proven(bank.certificate),
        [named.certificate]: encodeURIComponent(bank.certificate.cert + bank.certificate.cert),
      }),
    ],
    [
      'a certificate that is none',
      async () => ({
        ...proven(bank.certificate),
        [named.certificate]: '-----BEGIN CERTIFICATE-----%0AAAAA%0A-----END CERTIFICATE-----',
      }),
    ],
    ['broken escapes', async () => ({ ...proven(bank.certificate), [named.certificate]: '%E0%A4%A' })],
    [
      'bytes behind the certificate',
      async () => ({
        ...proven(bank.certificate),
        [named.certificate]: encodeURIComponent(
          `-----BEGIN CERTIFICATE-----\n${Buffer.concat([Buffer.from(bank.certificate.der, 'base64'), Buffer.from('more')]).toString('base64')}\n-----END CERTIFICATE-----\n`,
        ),
      }),
    ],
    ['an empty header', async () => ({ ...proven(bank.certificate), [named.certificate]: '' })],
    [
      'an expired certificate that the proxy let pass',
      async () => proven(await authority.issue({ subject, notAfter: new Date(Date.now() - 1_000) })),
    ],
    ['the certificate of another client', async () => proven(await authority.issue({ subject: 'CN=shop' }))],
    [
      'a certificate for servers',
      async () => proven(await authority.issue({ subject, purposes: ['1.3.6.1.5.5.7.3.1'] })),
    ],
  ])('are refused with %s', async (_what, headers) => {
    const answer = await ask(await headers())
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
  })

  describe('get tokens for a person', () => {
    const ada = { email: 'ada@example.test', password: 'analytical engine 1843' }
    let shop: Application
    let mine: Fields
    let foreign: Fields

    beforeAll(async () => {
      await latchkey.createUser(ada)
      mine = proven(await selfSigned(), 'FAILED:self-signed certificate')
      foreign = proven(bank.certificate)
      shop = await register(latchkey, {
        scopes: ['openid', 'offline_access'],
        tlsClientCertificateBoundAccessTokens: true,
      })
    })
    const me = (accessToken: unknown, headers: Fields) =>
      send(latchkey, '/me', { headers: { authorization: `Bearer ${String(accessToken)}`, ...headers } })

    it('that open user information with their certificate alone', async () => {
      const { status, body } = await shop.redeem(await shop.signIn(newVisitor(), ada), {}, { headers: mine })
      expect([status, body.token_type]).toEqual([200, 'Bearer'])
      expect((await me(body.access_token, mine)).status).toBe(200)
      expect((await me(body.access_token, {})).status).toBe(401)
      expect((await me(body.access_token, foreign)).status).toBe(401)
    })

    it('in exchange for a code that nobody redeems without a certificate', async () => {
      const code = await shop.signIn(newVisitor(), ada)
      const refused = await shop.redeem(code)
      expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant'])
    })

    it('of a public client renewed with the certificate of the first one alone', async () => {
      const app = await register(latchkey, {
        kind: 'spa',
        scopes: ['openid', 'offline_access'],
        tlsClientCertificateBoundAccessTokens: true,
      })
      const { body } = await app.redeem(await app.signIn(newVisitor(), ada), {}, { headers: mine })
      expect((await app.refresh(body.refresh_token, { headers: foreign })).status).toBe(400)
      expect((await app.refresh(body.refresh_token)).status).toBe(400)
      expect((await app.refresh(body.refresh_token, { headers: mine })).status).toBe(200)
    })
  })
})

describe('a server that asks nobody for certificates', () => {
  it('says nothing of them, and takes no client that needs one', async () => {
    await using latchkey = await startLatchkey()
    const { body, text } = await send(latchkey, '/.well-known/openid-configuration')
    expect(text).not.toMatch(/tls_client|mtls/)
    expect(body.token_endpoint_auth_methods_supported).toContain('private_key_jwt')
    await expect(
      latchkey.createClient({ ...service, authentication: 'tls_client_auth', tlsClientAuthSanDns: 'a.test' }),
    ).rejects.toMatchObject({ code: 'clients.inconsistent' })
    await expect(
      latchkey.createClient({ ...service, tlsClientCertificateBoundAccessTokens: true }),
    ).rejects.toMatchObject({ code: 'clients.inconsistent' })
  })
})
