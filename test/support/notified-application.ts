/** An application that is told of answers (CIBA), at a port of this machine. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface NotifiedApplication extends AsyncDisposable {
  readonly url: string
  readonly received: { readonly authorization: string | undefined; readonly body: unknown }[]
  /** Answers with 503 as long as it is set. */
  failing: boolean
}

export async function notifiedApplication(): Promise<NotifiedApplication> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { authorization } = request.headers
    application.received.push({ authorization, body: JSON.parse(Buffer.concat(chunks).toString()) })
    response.writeHead(application.failing ? 503 : 204).end()
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const application: NotifiedApplication = {
    url: `http://localhost:${port}/answered`,
    received: [],
    failing: false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return application
}
