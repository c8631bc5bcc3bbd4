import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { type ConnectionOptions, connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Authority, type Issued, inFiles, newAuthority } from '../support/certificates.ts'
import { freePort, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { sendOverTls } from '../support/tls.ts'

const forLocalhost = { subject: 'CN=localhost', names: [{ type: 'dns' as const, value: 'localhost' }] }

async function started(environment: Readonly<Record<string, string>>): Promise<RunningLatchkey> {
  const port = await freePort()
  const own = {
    PORT: String(port),
    LATCHKEY_ISSUER: `https://localhost:${port}`,
    LATCHKEY_LISTEN_ADDRESS: 'localhost',
  }
  return await startLatchkey({ environment: { ...own, ...environment } })
}

describe('TLS that ends at the server', () => {
  let authority: Authority
  let first: Issued
  let files: Readonly<Record<'certificate' | 'key', string>>
  let latchkey: RunningLatchkey

  beforeAll(async () => {
    authority = await newAuthority('Web CA')
    first = await authority.issue(forLocalhost)
    files = await inFiles({ certificate: first.cert, key: first.key })
    latchkey = await started({
      LATCHKEY_TLS_CERTIFICATE_FILE: files.certificate,
      LATCHKEY_TLS_KEY_FILE: files.key,
    })
  })
  afterAll(() => latchkey.close())

  const live = (agent?: Agent) =>
    sendOverTls(`${latchkey.issuer}/health/live`, { ca: authority.cert, ...(agent && { agent }) })
  const shake = async (options: ConnectionOptions): Promise<string> => {
    const { port } = new URL(latchkey.issuer)
    const socket = connect({
      host: 'localhost',
      port: Number(port),
      ca: authority.cert,
      servername: 'localhost',
      ...options,
    })
    const outcome = await Promise.race([
      once(socket, 'secureConnect').then(() => socket.getProtocol() ?? ''),
      once(socket, 'error').then(() => 'refused'),
    ]).catch(() => 'refused')
    socket.destroy()
    return outcome
  }

  it('serves the server over https, without asking browsers for a certificate', async () => {
    const { status, peer, protocol } = await live()
    expect([status, peer, protocol]).toEqual([200, first.der, 'TLSv1.3'])
  })

  it('speaks TLS 1.2 with forward secrecy and nothing older or weaker', async () => {
    expect(await shake({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2')
    for (const ciphers of ['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'])
      expect(await shake({ maxVersion: 'TLSv1.2', ciphers })).toBe('refused')
    expect(await shake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' })).toBe(
      'refused',
    )
  })

  it('answers nobody who speaks plain HTTP to it', async () => {
    await expect(fetch(latchkey.issuer.replace('https:', 'http:'))).rejects.toThrow()
  })

  it('serves a renewed certificate without a restart, and keeps the connections that are open', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    expect((await live(agent)).peer).toBe(first.der)
    const second = await authority.issue(forLocalhost)
    // One file after the other, as a renewal does; between the two nothing fits.
    await writeFile(files.certificate, second.cert)
    await vi.waitFor(() => expect(latchkey.logged.join()).toContain('the old one serves'), {
      timeout: 10_000,
    })
    expect((await live()).peer).toBe(first.der)
    await writeFile(files.key, second.key)
    await vi.waitFor(async () => expect((await live()).peer).toBe(second.der), { timeout: 10_000 })
    const kept = await live(agent)
    expect([kept.status, kept.peer]).toEqual([200, first.der])
    agent.destroy()
  }, 30_000)
})

describe('a server whose TLS is misconfigured', () => {
  let authority: Authority
  let files: Readonly<Record<'certificate' | 'key' | 'other' | 'text' | 'expired' | 'expiredKey', string>>

  beforeAll(async () => {
    authority = await newAuthority('Web CA')
    const [right, other] = [await authority.issue(forLocalhost), await authority.issue(forLocalhost)]
    const expired = await authority.issue({ ...forLocalhost, notAfter: new Date(Date.now() - 1_000) })
    files = await inFiles({
      certificate: right.cert,
      key: right.key,
      other: other.key,
      text: 'nothing',
      expired: expired.cert,
      expiredKey: expired.key,
    })
  })
  const tls = (certificate: string, key: string) => ({
    LATCHKEY_TLS_CERTIFICATE_FILE: certificate,
    LATCHKEY_TLS_KEY_FILE: key,
  })

  it.each<[string, () => Readonly<Record<string, string>>, string, string]>([
    [
      'a file that is not there',
      () => tls('/no/such.pem', files.key),
      'host.tls_unreadable',
      'there is no such file',
    ],
    ['a file that is a folder', () => tls('/', files.key), 'host.tls_unreadable', 'EISDIR'],
    [
      'no key',
      () => ({ LATCHKEY_TLS_CERTIFICATE_FILE: files.certificate }),
      'host.tls_incomplete',
      'Set both',
    ],
    [
      'a key of another certificate',
      () => tls(files.certificate, files.other),
      'host.tls_key_mismatch',
      'is not the key',
    ],
    [
      'a certificate that is none',
      () => tls(files.text, files.key),
      'host.tls_malformed',
      'LATCHKEY_TLS_CERTIFICATE_FILE',
    ],
    [
      'a key that is none',
      () => tls(files.certificate, files.text),
      'host.tls_malformed',
      'LATCHKEY_TLS_KEY_FILE',
    ],
    [
      'authorities that are none',
      () => ({ ...tls(files.certificate, files.key), LATCHKEY_TLS_CLIENT_CA_FILE: files.text }),
      'host.tls_malformed',
      'LATCHKEY_TLS_CLIENT_CA_FILE',
    ],
    [
      'authorities without TLS',
      () => ({ LATCHKEY_TLS_CLIENT_CA_FILE: files.certificate }),
      'host.tls_incomplete',
      'the proxy',
    ],
    [
      'an issuer of http',
      () => ({ ...tls(files.certificate, files.key), LATCHKEY_ISSUER: 'http://localhost:1' }),
      'host.mtls_misconfigured',
      'https://',
    ],
    [
      'a host for certificates and nobody to ask',
      () => ({ LATCHKEY_MTLS_URL: 'https://mtls.example.test' }),
      'host.mtls_misconfigured',
      'LATCHKEY_MTLS_CERTIFICATE_HEADER',
    ],
    [
      'a host for certificates with a path',
      () => ({ ...tls(files.certificate, files.key), LATCHKEY_MTLS_URL: 'https://mtls.example.test/x' }),
      'host.mtls_misconfigured',
      'a scheme, a host',
    ],
    [
      'a header with no name',
      () => ({ LATCHKEY_MTLS_CERTIFICATE_HEADER: 'Client Cert' }),
      'host.bad_header',
      'name of a header',
    ],
  ])('does not start with %s, and says what to do', async (_what, environment, code, words) => {
    await expect(started(environment())).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    })
  })

  it('starts with an expired certificate, and warns', async () => {
    await using latchkey = await started(tls(files.expired, files.expiredKey))
    expect(latchkey.logged.join()).toContain('the certificate of the server has expired')
  })
})
