/** An application that is told of logouts: it listens, keeps what it gets, and answers as it is told to. */
import { createServer } from 'node:http'
import { freePort } from './latchkey.ts'

export interface ToldApplication extends AsyncDisposable {
  readonly origin: string
  readonly backchannelLogoutUri: string
  /** Every request's body, oldest first. */
  readonly got: readonly { readonly token: string; readonly type: string; readonly method: string }[]
  /** What it answers from now on: a status, with a redirect or a long body where wished; `hang` answers never. */
  answer(how: {
    readonly status?: number
    readonly location?: string
    readonly bytes?: number
    readonly hang?: boolean
  }): void
}

export async function startToldApplication(): Promise<ToldApplication> {
  const origin = `http://localhost:${await freePort()}`
  const got: { token: string; type: string; method: string }[] = []
  let how: Parameters<ToldApplication['answer']>[0] = {}
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    got.push({
      token: form.get('logout_token') ?? '',
      type: request.headers['content-type'] ?? '',
      method: request.method ?? '',
    })
    if (how.hang === true) return
    response.writeHead(how.status ?? 200, how.location === undefined ? {} : { location: how.location })
    response.end('x'.repeat(how.bytes ?? 0))
  })
  await new Promise<void>((resolve) => server.listen(Number(new URL(origin).port), 'localhost', resolve))
  return {
    origin,
    backchannelLogoutUri: `${origin}/backchannel-logout`,
    got,
    answer(next) {
      how = next
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What a logout token says, unchecked. */
export const claimsOf = (token: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
