/** Clients that hold rights, one for each thing, and what their answers come to. */
import { randomUUID } from 'node:crypto'
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose'
import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi'
import { type Answer, type Credentials, type Fields, send, walk } from './application.ts'
import { type OutsideIssuer, startIssuer, trust } from './issuers.ts'
import { type LatchkeyOptions, type RunningLatchkey, startLatchkey } from './latchkey.ts'
import type { Page, Visitor } from './visitor.ts'

const callback = 'https://app.example.test/callback'
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface RightsWorld extends AsyncDisposable {
  readonly latchkey: RunningLatchkey
  readonly cluster: OutsideIssuer
  readonly keys: GenerateKeyPairResult
}

export async function openRights(options: LatchkeyOptions = {}): Promise<RightsWorld> {
  const latchkey = await startLatchkey({
    ...options,
    environment: {
      ...options.environment,
      LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost',
      // Everything of a test comes from one address within a minute.
      LATCHKEY_HOST_FAILURES_PER_MINUTE: '10000',
    },
  })
  const cluster = await startIssuer()
  await trust(latchkey, cluster.issuer)
  return {
    latchkey,
    cluster,
    keys: await generateKeyPair('ES256', { extractable: true }),
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]()
      await latchkey.close()
    },
  }
}

/** What the server says to a client. */
export const words = ({ status, body }: Answer): string =>
  status < 300 ? 'given' : `${status} ${String(body.error ?? '')}`.trim()

/** What became of a browser that was sent to the server. */
export function led({ status, location, text }: Page): string {
  const brought = location === undefined ? undefined : new URL(location).searchParams
  if (brought?.has('code')) return 'given'
  if (brought?.has('error')) return `led back: ${brought.get('error')}`
  if (status === 200) return text.includes('/password"') ? 'asked to sign in' : 'asked'
  return `page ${status}`
}

export type Client = Awaited<ReturnType<typeof client>>

/** A client of its own for each thing, that signs its assertions and so can have any profile. */
export async function client(world: RightsWorld, input: Readonly<Record<string, unknown>>) {
  const { latchkey, keys } = world
  const signs = input.kind !== 'native' && input.authentication !== 'federated_jwt'
  const { id } = await latchkey.createClient({
    kind: 'web',
    name: 'Application',
    ...(input.kind !== 'service' && { firstParty: true, redirectUris: [callback] }),
    ...(signs && {
      authentication: 'private_key_jwt',
      jwks: { keys: [await exportJWK(keys.publicKey)] },
      idTokenAlgorithm: 'ES256',
    }),
    ...input,
  })
  const assertion = (): Promise<string> =>
    new SignJWT({ iss: id, sub: id, aud: latchkey.issuer, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(keys.privateKey)
  const proof = async (): Promise<Fields> =>
    signs
      ? { client_id: id, client_assertion_type: assertionType, client_assertion: await assertion() }
      : { client_id: id }
  const post = async (path: string, form: Fields): Promise<Answer> =>
    await send(latchkey, path, { form: { ...(await proof()), ...form } })
  const verifier = generateRandomCodeVerifier()
  const request = async (more: Fields = {}): Promise<Fields> => ({
    client_id: id,
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid profile',
    state: 'a state',
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  })
  const visit = async (visitor: Visitor, query: Fields): Promise<Page> =>
    await visitor.follow(await visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(query)}`))
  const token = (form: Fields): Promise<Answer> => post('/token', form)

  return {
    id,
    post,
    token,
    request,
    visit,
    async code(visitor: Visitor, person: Credentials, more: Fields = {}): Promise<Fields> {
      const page = await walk(visitor, await visit(visitor, await request(more)), person)
      const code = URL.parse(page.location ?? '')?.searchParams.get('code')
      if (typeof code !== 'string')
        throw new Error(`No code: ${page.status} ${page.location} ${page.text.slice(0, 300)}`)
      return { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: callback }
    },
  }
}

/** The body of an answer that grants. Throws otherwise. */
export async function succeeded(asked: Promise<Answer>): Promise<Answer['body']> {
  const { status, body, text } = await asked
  if (status >= 300) throw new Error(`${status} ${text}`)
  return body
}
