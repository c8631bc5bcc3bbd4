/**
 * An application that a real browser can be sent back to: registered, listening on a port of its own, and strict — it
 * accepts each `state` once. What came back stands on its page.
 *
 *     await using shop = await startApplication(latchkey, { name: 'Shop' })
 *     await page.goto(shop.signIn({ prompt: 'login' }))
 *     await page.getByRole('heading', { name: 'Shop: signed in' }).waitFor()
 */
import { createServer, type ServerResponse } from 'node:http'
import type { RunningLatchkey } from './latchkey.ts'
import { freePort } from './latchkey.ts'
import { relyingParty, type SentRequest } from './relying-party.ts'

export interface ListeningApplication extends AsyncDisposable {
  readonly name: string
  readonly origin: string
  readonly clientId: string
  /** An address of the application that sends the browser to sign in, with these parameters. */
  signIn(parameters?: Readonly<Record<string, string>>): string
  /** An address of the application that sends the browser to sign out, with the last ID token as the hint. */
  signOut(): string
  /** The claims of every ID token received, oldest first. */
  readonly claims: readonly Readonly<Record<string, unknown>>[]
}

export async function startApplication(
  latchkey: RunningLatchkey,
  { name, ...input }: { readonly name: string; readonly [setting: string]: unknown },
): Promise<ListeningApplication> {
  const origin = `http://localhost:${await freePort()}`
  const party = await relyingParty(latchkey, {
    name,
    redirectUris: [`${origin}/callback`],
    postLogoutRedirectUris: [`${origin}/`],
    ...input,
  })
  const waiting = new Map<string, SentRequest>()
  const claims: Record<string, unknown>[] = []
  let idToken = ''

  const send = (response: ServerResponse, title: string): void =>
    void response
      .setHeader('content-type', 'text/html')
      .end(`<!doctype html><title>${name}</title><h1>${name}: ${title}</h1>`)

  async function receive(url: URL): Promise<string> {
    const state = url.searchParams.get('state') ?? ''
    const sent = waiting.get(state)
    waiting.delete(state)
    if (sent === undefined) return 'an answer to no question'
    const error = url.searchParams.get('error')
    if (error !== null) return error
    const tokens = await party.redeem(sent, url.href)
    claims.push({ ...tokens.claims() })
    idToken = tokens.id_token ?? ''
    return 'signed in'
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', origin)
    const leave = (location: string): void => void response.writeHead(303, { location }).end()
    if (url.pathname === '/sign-in') {
      const sent = await party.request(Object.fromEntries(url.searchParams))
      waiting.set(sent.state, sent)
      leave(sent.url)
    } else if (url.pathname === '/sign-out') {
      const query = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: `${origin}/` })
      leave(`${latchkey.issuer}/session/end?${query}`)
    } else if (url.pathname === '/callback') {
      send(response, await receive(url).catch((error: unknown) => `refused: ${String(error)}`))
    } else send(response, 'welcome')
  })
  await new Promise<void>((resolve) => server.listen(Number(new URL(origin).port), 'localhost', resolve))

  return {
    name,
    origin,
    clientId: party.client.id,
    signIn: (parameters = {}) => `${origin}/sign-in?${new URLSearchParams(parameters)}`,
    signOut: () => `${origin}/sign-out`,
    claims,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
