/** A server of keys on this machine: a client's own, or a trap that nobody must ask. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'

export interface KeyServer {
  /** Of the key set. Beside it `/moved` leads there, `/large` has 100 000 blanks before it, and the rest is 404. */
  readonly url: string
  publish(keys: readonly JWK[]): void
  /** How often it was asked for anything. */
  requests(): number
  /** How often somebody connected, whether or not a request came. */
  connections(): number
  close(): Promise<void>
}

export async function startKeyServer(): Promise<KeyServer> {
  let keys: readonly JWK[] = []
  let requests = 0
  let connections = 0
  const server = createServer(({ url }, response) => {
    requests += 1
    const status = url === '/jwks' || url === '/large' ? 200 : url === '/moved' ? 302 : 404
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(status === 302 && { location: '/jwks' }),
    })
    response.end((url === '/large' ? ' '.repeat(100_000) : '') + JSON.stringify({ keys }))
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://localhost:${port}/jwks`,
    publish(published) {
      keys = published
    },
    requests: () => requests,
    connections: () => connections,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
