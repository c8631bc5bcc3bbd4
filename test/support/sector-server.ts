/** An https server on this machine with a certificate of its own, that a sector puts its list of addresses on. */
import 'reflect-metadata'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import * as x509 from '@peculiar/x509'

export interface SectorServer {
  readonly url: string
  /** Text is answered as it is, with the status; `undefined` is never answered. */
  publish(body: unknown, status?: number, location?: string): void
  connections(): number
  close(): Promise<void>
}

export async function startSectorServer(): Promise<SectorServer> {
  const { certificate, key } = await selfSigned()
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, certificate])
  let answer: { body: string | undefined; status: number; location: string } = {
    body: '[]',
    status: 200,
    location: '/elsewhere',
  }
  let connections = 0
  const server = createServer({ cert: certificate, key }, (_request, response) => {
    if (answer.body === undefined) return
    const { status, location, body } = answer
    response.writeHead(status, { 'content-type': 'application/json', location })
    response.end(body)
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `https://localhost:${port}/sector`,
    publish(body, status = 200, location = '/elsewhere') {
      answer = { body: typeof body === 'string' ? body : JSON.stringify(body), status, location }
    },
    connections: () => connections,
    async close() {
      setDefaultCACertificates(before)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function selfSigned(): Promise<{ readonly certificate: string; readonly key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
      new x509.BasicConstraintsExtension(true, 0, true),
    ],
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
  }
}
