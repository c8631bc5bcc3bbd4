import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { AppError } from '../kernel/errors.ts'
import type { Tls } from './tls.ts'

export type Listener = (request: IncomingMessage, response: ServerResponse) => void

export interface ListenOptions {
  readonly port: number
  readonly address: string
  /** Where TLS ends here. */
  readonly tls?: Tls | undefined
  /** Clients are asked for a certificate. Who shows none, or one of nobody's, is served; what that is worth is said later. */
  readonly asksForCertificates?: boolean
}

export interface Listening {
  readonly port: number
  /** Stops accepting, lets what is under way finish for at most `seconds`, then closes what is left. */
  drain(seconds: number): Promise<void>
}

/** Throws `host.port_in_use` where another program listens already, and `host.cannot_listen` for an address that is none of ours. */
export async function listen(handler: Listener, options: ListenOptions): Promise<Listening> {
  const { port, address } = options
  const server = createListener(handler, options)
  // A connection that is kept alive would hold up the end for as long as its client likes.
  server.on('request', (_request, response) => {
    response.once('close', () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections())
    })
  })
  const start = (where: string): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, where, () => {
        server.off('error', reject)
        resolve()
      })
    })
  await start(address)
    // A kernel without IPv6 knows no `::`; every address of the machine is then 0.0.0.0.
    .catch((error: NodeJS.ErrnoException) => {
      if (address === '::' && error.code === 'EAFNOSUPPORT') return start('0.0.0.0')
      throw error
    })
    .catch((error: NodeJS.ErrnoException) => {
      throw translate(error, { port, address })
    })
  return { port: (server.address() as AddressInfo).port, drain: (seconds) => drain(server, seconds) }
}

const limits: ServerOptions = {
  requestTimeout: 30_000,
  headersTimeout: 15_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16_384,
}

function createListener(
  handler: Listener,
  { tls, asksForCertificates = false }: ListenOptions,
): Server | TlsServer {
  if (tls === undefined) return createServer(limits, handler)
  const asking = { requestCert: asksForCertificates, rejectUnauthorized: false }
  const server = createTlsServer(
    { ...limits, ...tls.context(), ...asking, handshakeTimeout: 10_000 },
    handler,
  )
  // Connections that are open go on; the next ones get the new certificate.
  tls.onChange((context) => server.setSecureContext(context))
  return server
}

function translate(
  error: NodeJS.ErrnoException,
  { port, address }: { readonly port: number; readonly address: string },
): AppError {
  if (error.code === 'EADDRINUSE') {
    return new AppError(
      'host.port_in_use',
      500,
      `Another program listens on port ${port}. Stop it, or choose another port with PORT=${port + 1}.`,
      { cause: error },
    )
  }
  return new AppError(
    'host.cannot_listen',
    500,
    `The server cannot listen on ${address} port ${port} (${error.code}). Correct LATCHKEY_LISTEN_ADDRESS or PORT.`,
    { cause: error },
  )
}

async function drain(server: Server | TlsServer, seconds: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const deadline = setTimeout(() => server.closeAllConnections(), seconds * 1000)
  await closed
  clearTimeout(deadline)
}
