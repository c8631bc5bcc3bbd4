/** A server of keys on this machine: a client's own, or a trap that nobody must ask. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'

export interface KeyServer {
  /** Of the key set; every other path is 404. */
  readonly url: string
  publish(keys: readonly JWK[]): void
  /** How often it was asked for anything. */
  requests(): number
  close(): Promise<void>
}

export async function startKeyServer(): Promise<KeyServer> {
  let keys: readonly JWK[] = []
  let requests = 0
  const server = createServer((request, response) => {
    requests += 1
    const status = request.url === '/jwks' ? 200 : 404
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://localhost:${port}/jwks`,
    publish(published) {
      keys = published
    },
    requests: () => requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
