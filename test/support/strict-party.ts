/**
 * An application that keeps to a security profile, or breaks one rule of it at a time: it signs everything by hand, as a
 * well-behaved library would refuse to.
 *
 *     const bank = await strictParty(latchkey, { profile: 'fapi-2-security' })
 *     const { code, verifier } = await bank.signIn(newVisitor(), person)
 *     const answer = await bank.redeem({ code, verifier })
 */
import { createHash, randomUUID } from 'node:crypto'
import {
  decodeJwt,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi'
import { type Answer, type Code, type Credentials, type Fields, send, walk } from './application.ts'
import type { RunningLatchkey } from './latchkey.ts'
import { formsOf, type Page, type Visitor } from './visitor.ts'

export const strictCallback = 'https://app.example.test/callback'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export type Claims = Readonly<Record<string, unknown>>

/** What is signed otherwise than it should be; `alg` `none` is not signed at all, HS256 with a shared text. */
export interface Changes {
  readonly claims?: Claims
  readonly header?: Claims
  readonly key?: GenerateKeyPairResult
}

/** What is sent with a request. `null` leaves it out. */
export interface Proofs {
  readonly assertion?: string | null
  readonly dpop?: string | null
}

const now = (): number => Math.floor(Date.now() / 1000)

/** Signs with what the header says, whether it fits the key or not. */
async function signed(
  claims: Claims,
  header: Claims,
  { privateKey }: GenerateKeyPairResult,
): Promise<string> {
  if (header.alg === 'none') return new UnsecuredJWT({ ...claims }).encode()
  const key =
    header.alg === 'HS256' ? new TextEncoder().encode('a shared text of some length!!!!') : privateKey
  return await new SignJWT({ ...claims }).setProtectedHeader({ ...header, alg: String(header.alg) }).sign(key)
}

export type StrictParty = Awaited<ReturnType<typeof strictParty>>

export async function strictParty(
  latchkey: RunningLatchkey,
  input: Readonly<Record<string, unknown>> = {},
  algorithm = 'ES256',
) {
  const { issuer } = latchkey
  const keys = await generateKeyPair(algorithm, { extractable: true })
  const { id } = await latchkey.createClient({
    kind: 'web',
    name: 'Bank',
    firstParty: true,
    redirectUris: [strictCallback],
    jwks: { keys: [await exportJWK(keys.publicKey)] },
    ...input,
  })

  const assertion = ({ claims, header, key = keys }: Changes = {}): Promise<string> =>
    signed(
      { iss: id, sub: id, aud: issuer, jti: randomUUID(), iat: now(), exp: now() + 60, ...claims },
      { alg: algorithm, ...header },
      key,
    )

  const proof = async (path: string, { claims, header, key = keys }: Changes = {}): Promise<string> => {
    const jwk: JWK = await exportJWK(key.publicKey)
    return await signed(
      { htm: 'POST', htu: issuer + path, jti: randomUUID(), iat: now(), ...claims },
      { typ: 'dpop+jwt', alg: algorithm, jwk, ...header },
      key,
    )
  }

  /** A request for a code, with PKCE. */
  const begin = async (more: Fields = {}) => {
    const verifier = generateRandomCodeVerifier()
    const params: Fields = {
      client_id: id,
      response_type: 'code',
      redirect_uri: strictCallback,
      scope: 'openid',
      state: randomUUID(),
      nonce: randomUUID(),
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    }
    return { params, verifier }
  }

  /** Parameters as a signed request (RFC 9101). */
  const requestObject = (params: Claims, { claims, header, key = keys }: Changes = {}): Promise<string> =>
    signed(
      { ...params, iss: id, aud: issuer, iat: now(), nbf: now(), exp: now() + 300, ...claims },
      { typ: 'oauth-authz-req+jwt', alg: algorithm, ...header },
      key,
    )

  const post = async (
    path: string,
    form: Fields,
    { assertion: given, dpop }: Proofs = {},
  ): Promise<Answer> => {
    const proven = given === null ? undefined : (given ?? (await assertion()))
    return await send(latchkey, path, {
      headers: dpop ? { dpop } : {},
      form: {
        client_id: id,
        ...(proven && { client_assertion: proven, client_assertion_type: assertionType }),
        ...form,
      },
    })
  }

  const push = (form: Fields, proofs?: Proofs): Promise<Answer> => post('/request', form, proofs)
  const visit = (visitor: Visitor, query: Fields): Promise<Page> =>
    visitor.get(`${issuer}/auth?${new URLSearchParams(query)}`)

  return {
    id,
    keys,
    begin,
    assertion,
    proof,
    requestObject,
    post,
    push,
    visit,
    token: async (form: Fields, { dpop, ...proofs }: Proofs = {}): Promise<Answer> =>
      await post('/token', form, { ...proofs, dpop: dpop === undefined ? await proof('/token') : dpop }),

    /** The address that a pushed request goes on with; throws where the push is refused. */
    async pushed(form: Fields): Promise<Fields> {
      const { status, body } = await push(form)
      if (status !== 201) throw new Error(`Not pushed: ${status} ${JSON.stringify(body)}`)
      return { client_id: id, request_uri: String(body.request_uri) }
    },

    /** Pushes, sends the person, and answers with where she is sent back to. */
    async signIn(
      visitor: Visitor,
      person: Credentials,
      { signed: asObject = false, ...more }: Readonly<Record<string, string | boolean>> = {},
    ): Promise<Code & { readonly page: Page; readonly params: Fields }> {
      const { params, verifier } = await begin(more as Fields)
      const form = asObject ? { request: await requestObject(params) } : params
      const { status, body } = await push(form)
      if (status !== 201) throw new Error(`Not pushed: ${status} ${JSON.stringify(body)}`)
      const query = { client_id: id, request_uri: String(body.request_uri) }
      const page = await walk(visitor, await visit(visitor, query), person)
      const code = new URL(page.location ?? 'about:blank').searchParams.get('code') ?? ''
      return { code, verifier, page, params }
    },

    async redeem({ code, verifier }: Code, { dpop, ...proofs }: Proofs = {}): Promise<Answer> {
      const form = {
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: strictCallback,
      }
      return await post('/token', form, {
        ...proofs,
        dpop: dpop === undefined ? await proof('/token') : dpop,
      })
    },

    /** What user information says to the holder of a bound token. */
    async userinfo(accessToken: unknown, changes: Changes = {}): Promise<Answer> {
      const ath = createHash('sha256').update(String(accessToken)).digest('base64url')
      const dpop = await proof('/me', { ...changes, claims: { htm: 'GET', ath, ...changes.claims } })
      return await send(latchkey, '/me', { headers: { authorization: `DPoP ${String(accessToken)}`, dpop } })
    },
  }
}

/** What a browser brings to the application, in query, fragment or form, out of a signed response or not. */
export function broughtBy(page: Page): Readonly<Record<string, unknown>> {
  const { search, hash } = new URL(page.location ?? 'about:blank')
  const [form] = page.location === undefined ? formsOf(page) : []
  const brought = form?.fields ?? Object.fromEntries(new URLSearchParams(search || hash.slice(1)))
  return brought.response === undefined ? brought : decodeJwt(brought.response)
}

/** Of a refusal, told at once or brought by a browser: code and description. */
export function refusalOf(answer: Answer | Page): { readonly error: string; readonly description: string } {
  const told = 'body' in answer ? answer.body : broughtBy(answer)
  return {
    error: String(told.error ?? answer.status),
    description: String(told.error_description ?? answer.text),
  }
}
