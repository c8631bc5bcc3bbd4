/** An application that is told of answers (CIBA), at a port of this machine. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface NotifiedApplication extends AsyncDisposable {
  readonly url: string
  readonly received: { readonly authorization: string | undefined; readonly body: unknown }[]
  /** The status that it answers with; that of a redirect leads back to itself. */
  status: number
}

export async function notifiedApplication(): Promise<NotifiedApplication> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { authorization } = request.headers
    application.received.push({ authorization, body: JSON.parse(Buffer.concat(chunks).toString()) })
    const { status, url } = application
    response.writeHead(status, status < 400 && status >= 300 ? { location: url } : {}).end()
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const application: NotifiedApplication = {
    url: `http://localhost:${port}/answered`,
    received: [],
    status: 204,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return application
}
