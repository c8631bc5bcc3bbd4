/** Requests over TLS with a certificate of the client, by hand. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { Answer, Fields } from './application.ts'
import type { Issued } from './certificates.ts'

export interface TlsSending {
  readonly ca: string
  readonly certificate?: Issued | undefined
  readonly headers?: Fields
  readonly form?: Fields
  /** Where to connect, when that is not where the address points. */
  readonly port?: number
  readonly agent?: Agent
}

export async function sendOverTls(
  url: string,
  { ca, certificate, headers = {}, form, port, agent }: TlsSending,
): Promise<Answer & { readonly peer: string; readonly protocol: string | null; readonly resumed: boolean }> {
  const target = new URL(url)
  const content = form && { 'content-type': 'application/x-www-form-urlencoded' }
  const sent = request({
    agent: agent ?? new Agent({ keepAlive: false }),
    host: 'localhost',
    servername: target.hostname,
    port: port ?? target.port,
    path: target.pathname + target.search,
    method: form === undefined ? 'GET' : 'POST',
    headers: { host: target.host, accept: 'application/json', ...content, ...headers },
    ca,
    ...(certificate && { cert: certificate.cert, key: certificate.key }),
  })
  sent.end(form && new URLSearchParams(form).toString())
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const socket = response.socket as TLSSocket
  const [peer, protocol] = [
    socket.getPeerX509Certificate()?.raw.toString('base64') ?? '',
    socket.getProtocol(),
  ]
  const resumed = socket.isSessionReused()
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  const isJson = (response.headers['content-type'] ?? '').includes('json')
  return {
    status: response.statusCode ?? 0,
    body: isJson ? JSON.parse(text) : {},
    text,
    location: response.headers.location,
    peer,
    protocol,
    resumed,
  }
}
