/**
 * An application as an attacker drives one: many requests at once, to several processes of one server, whose Host is
 * the issuer's everywhere. It speaks HTTP by hand, as a well-behaved library would refuse to redeem a code twice.
 *
 *     const shop = await register(latchkey)
 *     const code = await shop.signIn(newVisitor(), person)
 *     const answers = await times(20, () => shop.redeem(code))
 */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi'
import type { RunningLatchkey } from './latchkey.ts'
import type { Page, Visitor } from './visitor.ts'

export const callback = 'http://localhost:9999/callback'

export type Fields = Readonly<Record<string, string>>

export interface Door {
  readonly issuer: string
  /** Where this process listens, when that is not where the issuer points. */
  readonly port?: number
}

export interface Answer {
  readonly status: number
  /** Of a JSON answer, else empty. */
  readonly body: Readonly<Record<string, unknown>>
  readonly text: string
  readonly location: string | undefined
}

export interface Credentials {
  readonly email: string
  readonly password: string
}

export interface Code {
  readonly code: string
  readonly verifier: string
}

export interface Registration {
  readonly id: string
  /** Empty for a public client and for one that signs assertions. */
  readonly secret: string
}

interface Sending {
  readonly headers?: Fields
  readonly form?: Fields
}

interface Options {
  readonly headers?: Fields
  /** Another process of the same server. */
  readonly at?: Door
}

/** No socket stays open, so that a server can be killed and started again under the same port. */
const agent = new Agent({ keepAlive: false })

/** One request, a POST where there is a form. Rejects where nobody answers. */
export async function send(
  { issuer, port }: Door,
  path: string,
  { headers = {}, form }: Sending = {},
): Promise<Answer> {
  const { host, port: issuerPort } = new URL(issuer)
  const content = form && { 'content-type': 'application/x-www-form-urlencoded' }
  const sent = request({
    agent,
    host: 'localhost',
    port: port ?? issuerPort,
    path,
    method: form === undefined ? 'GET' : 'POST',
    headers: { host, accept: 'application/json', ...content, ...headers },
  })
  sent.end(form && new URLSearchParams(form).toString())
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  const isJson = (response.headers['content-type'] ?? '').includes('json')
  return {
    status: response.statusCode ?? 0,
    body: isJson ? JSON.parse(text) : {},
    text,
    location: response.headers.location,
  }
}

export type Application = ReturnType<typeof application>

export function application(door: Door, { id, secret }: Registration) {
  const proof: Fields =
    secret === '' ? {} : { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
  const post = (path: string, form: Fields, { headers = {}, at = door }: Options = {}): Promise<Answer> =>
    send(at, path, {
      headers: { ...proof, ...headers },
      form: secret === '' ? { client_id: id, ...form } : form,
    })

  /** The parameters of an authorization request, and what redeems its code. */
  const begin = async (
    more: Fields = {},
  ): Promise<{ readonly params: Fields; readonly verifier: string }> => {
    const verifier = generateRandomCodeVerifier()
    const challenge = {
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }
    return {
      verifier,
      params: {
        client_id: id,
        response_type: 'code',
        redirect_uri: callback,
        scope: 'openid',
        ...challenge,
        ...more,
      },
    }
  }

  return {
    id,
    begin,

    /** Sends the person to the server and fills in whatever it asks. */
    async signIn(visitor: Visitor, person: Credentials, more: Fields = {}): Promise<Code> {
      const { params, verifier } = await begin(more)
      const page = await visitor.get(`${door.issuer}/auth?${new URLSearchParams(params)}`)
      return { code: codeIn(await walk(visitor, page, person)), verifier }
    },

    /** What a person sees who is sent to the server; a code, when nothing is asked. */
    async visit(visitor: Visitor, more: Fields = {}): Promise<Page & { readonly verifier: string }> {
      const { params, verifier } = await begin(more)
      return {
        ...(await visitor.follow(await visitor.get(`${door.issuer}/auth?${new URLSearchParams(params)}`))),
        verifier,
      }
    },

    redeem: ({ code, verifier }: Code, more: Fields = {}, options?: Options): Promise<Answer> =>
      post(
        '/token',
        { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: callback, ...more },
        options,
      ),

    refresh: (refreshToken: unknown, options?: Options): Promise<Answer> =>
      post('/token', { grant_type: 'refresh_token', refresh_token: String(refreshToken) }, options),

    credentials: (more: Fields = {}, options?: Options): Promise<Answer> =>
      post('/token', { grant_type: 'client_credentials', ...more }, options),

    introspect: (token: unknown): Promise<Answer> => post('/token/introspection', { token: String(token) }),

    push: (params: Fields): Promise<Answer> => post('/request', params),
  }
}

/** A web application of our own, or what `input` makes of it. */
export async function register(
  latchkey: RunningLatchkey,
  input: Readonly<Record<string, unknown>> = {},
): Promise<Application> {
  const client = await latchkey.createClient({
    kind: 'web',
    name: 'Shop',
    redirectUris: [callback],
    firstParty: true,
    ...input,
  })
  return application(latchkey, client)
}

/** Fills in what the server shows, sign-in and consent, until it sends the browser back to the application. */
export async function walk(visitor: Visitor, start: Page, { email, password }: Credentials): Promise<Page> {
  let page = await visitor.follow(start)
  for (let step = 0; page.location === undefined && step < 3; step += 1) {
    const answer = page.text.includes('/password"')
      ? await visitor.submit(page, { identifier: email, password }, { action: '/password' })
      : await visitor.submit(page, {}, { action: '/consent' })
    page = await visitor.follow(answer)
  }
  return page
}

/** The authorization code with which a browser is sent back. */
export function codeIn({ location = '', status, text }: Page): string {
  const code = URL.parse(location)?.searchParams.get('code')
  if (typeof code !== 'string') throw new Error(`No code: ${status} ${location} ${text.slice(0, 500)}`)
  return code
}

export const userinfo = (door: Door, accessToken: unknown): Promise<Answer> =>
  send(door, '/me', { headers: { authorization: `Bearer ${String(accessToken)}` } })

/** How many of the answers had each outcome: `200`, or the status and the OAuth error code. */
export function outcomes(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const outcome = status === 200 ? '200' : `${status} ${String(body.error)}`
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

/** Does the same `count` times at once. */
export const times = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)))

/** One half of the attempts at each of two processes over the same database. */
export const spread = (doors: readonly [Door, Door], index: number): { readonly at: Door } => ({
  at: doors[index % 2 === 0 ? 0 : 1],
})

/** The OAuth error with which a browser is sent back; null where it brings a code. */
export const errorIn = ({ location = '' }: Page): string | null | undefined =>
  URL.parse(location)?.searchParams.get('error')

export const sessionCookie = (visitor: Visitor): string =>
  visitor.cookies.find(({ name }) => name === 'latchkey_session')?.value ?? ''
