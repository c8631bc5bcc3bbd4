import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError } from '../kernel/errors.ts'

export interface Listening {
  readonly port: number
  /** Stops accepting, lets what is under way finish for at most `seconds`, then closes what is left. */
  drain(seconds: number): Promise<void>
}

/** Throws `host.port_in_use` where another program listens already, and `host.cannot_listen` for an address that is none of ours. */
export async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  { port, address }: { readonly port: number; readonly address: string },
): Promise<Listening> {
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 15_000, keepAliveTimeout: 65_000, maxHeaderSize: 16_384 },
    handler,
  )
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

async function drain(server: Server, seconds: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const deadline = setTimeout(() => server.closeAllConnections(), seconds * 1000)
  await closed
  clearTimeout(deadline)
}
