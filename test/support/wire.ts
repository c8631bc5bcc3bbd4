/**
 * HTTP as it goes over the wire, for what a well-behaved client cannot send: any Host, target, header and byte.
 *
 *     const answer = await exchange(latchkey.server.port, { target: '/auth', host: 'evil.test' })
 */
import { connect } from 'node:net'

export interface WireRequest {
  readonly method?: string
  readonly target?: string
  /** `null` leaves the header out. */
  readonly host: string | null
  /** HTTP/1.1 unless told. */
  readonly version?: string
  /** A name may come several times. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string | Buffer
}

export interface WireAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Status line, headers and body, as they came. */
  readonly raw: string
}

const headOf = ({
  method = 'GET',
  target = '/',
  host,
  version = '1.1',
  headers = [],
  body,
}: WireRequest): Buffer => {
  const lines = [
    `${method} ${target} HTTP/${version}`,
    ...(host === null ? [] : [`Host: ${host}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    'Connection: close',
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** Sends one request on a connection of its own and reads the answer to its end. */
export async function exchange(port: number, request: WireRequest): Promise<WireAnswer> {
  return await exchangeBytes(port, Buffer.concat([headOf(request), Buffer.from(request.body ?? '')]))
}

/** The same for bytes as they are. Throws when the connection ends without an answer. */
export function exchangeBytes(port: number, bytes: Buffer): Promise<WireAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>()
  const socket = connect(port, 'localhost')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A server that refuses a long request may close before all of it was sent; its answer counts.
  socket.on('error', (error) => (chunks.length === 0 ? reject(error) : undefined))
  socket.on('close', () =>
    chunks.length === 0
      ? reject(new Error('There was no answer.'))
      : resolve(parseAnswer(Buffer.concat(chunks))),
  )
  socket.write(bytes)
  return promise
}

export function parseAnswer(bytes: Buffer): WireAnswer {
  const raw = bytes.toString('latin1')
  const end = raw.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = raw.slice(0, end).split('\r\n')
  const headers = new Headers()
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  const body = bytes.subarray(end + 4)
  const text = (headers.get('transfer-encoding') === 'chunked' ? unchunked(body) : body).toString('utf8')
  return { status: Number(statusLine.split(' ')[1]), headers, text, raw }
}

function unchunked(body: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = 0
  while (at < body.length) {
    const lineEnd = body.indexOf('\r\n', at)
    const length = Number.parseInt(body.subarray(at, lineEnd).toString('latin1'), 16)
    if (!(length > 0)) break
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + length))
    at = lineEnd + 2 + length + 2
  }
  return Buffer.concat(parts)
}
