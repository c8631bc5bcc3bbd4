/**
 * A client that signs its requests (RFC 9101), an attacker with a key of his own, and what becomes of requests at both doors.
 *
 *     await using jar = await openSignedRequests()
 *     await jar.push(await signWith(jar.own, jar.claims()))
 */
import { randomUUID } from 'node:crypto'
import type { JWTPayload } from 'jose'
import * as openid from 'openid-client'
import { clientKey, seconds } from './client-keys.ts'
import { startKeyServer } from './key-server.ts'
import { startLatchkey } from './latchkey.ts'
import { answered, callbackUrl, relyingParty } from './relying-party.ts'
import { newVisitor } from './visitor.ts'

export const ada = {
  email: 'ada@example.test',
  name: 'Ada Lovelace',
  password: 'analytical engine 1843',
}
export type Changes = Readonly<Record<string, unknown>>

/** What stands beside a request object, and counts for nothing. */
export const outside = {
  redirect_uri: callbackUrl,
  response_type: 'code',
  scope: 'openid',
  state: 'outside',
}
/** The answer of both doors to a request object that is not accepted. */
export const refused = ['invalid_request_object', 'invalid_request_object']

export async function openSignedRequests() {
  const verifier = openid.randomPKCECodeVerifier()
  const challenge = await openid.calculatePKCECodeChallenge(verifier)
  const latchkey = await startLatchkey({
    environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' },
  })
  await latchkey.createUser(ada)
  const keys = await Promise.all([clientKey('ES256'), clientKey('RS256'), clientKey('ES256')])
  const [own, rsa, attacker] = keys
  /** Somebody else's server with somebody else's keys. */
  const trap = await startKeyServer()
  trap.publish([attacker.publicJwk])
  const shop = await relyingParty(latchkey, {
    name: 'Shop',
    firstParty: true,
    authentication: 'client_secret_basic',
    jwks: { keys: [own.publicJwk, rsa.publicJwk] },
  })

  const claims = (changes: Changes = {}): JWTPayload => ({
    iss: shop.client.id,
    aud: latchkey.issuer,
    client_id: shop.client.id,
    iat: seconds(),
    exp: seconds() + 300,
    jti: randomUUID(),
    response_type: 'code',
    redirect_uri: callbackUrl,
    scope: 'openid email',
    state: 'inside',
    nonce: 'the nonce',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...changes,
  })
  const addressOf = (request: string, outside: Readonly<Record<string, string>> = {}): string =>
    `${latchkey.issuer}/auth?${new URLSearchParams({ client_id: shop.client.id, request, ...outside })}`

  /** What becomes of a request at the front door: the error at the application or on the page, or that it is taken. */
  const frontDoor = async (
    request: string,
    more: Readonly<Record<string, string>> = outside,
  ): Promise<unknown> => {
    const page = await newVisitor().get(addressOf(request, more))
    if (page.location?.startsWith(callbackUrl)) return answered(page.location).error
    if (page.status === 303 || page.status === 302) return 'taken'
    return page.status < 500
      ? (/invalid_request_object|invalid_request\b|request_uri_not_supported/.exec(page.text)?.[0] ??
          page.status)
      : page.status
  }
  const push = async (request: string, party = shop): Promise<[number, string | undefined]> => {
    const response = await fetch(`${latchkey.issuer}/request`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${party.client.id}:${party.client.secret}`)}` },
      body: new URLSearchParams({ request }),
    })
    const body = (await response.json()) as { error?: string; request_uri?: string }
    return [response.status, body.error ?? body.request_uri]
  }
  const bothWays = async (request: string): Promise<readonly unknown[]> => [
    await frontDoor(request),
    (await push(request))[1],
  ]

  const close = async (): Promise<void> => {
    await trap.close()
    await latchkey.close()
  }
  return {
    ...{ latchkey, own, rsa, attacker, trap, shop, verifier },
    ...{ claims, addressOf, frontDoor, push, bothWays },
    [Symbol.asyncDispose]: close,
  }
}

export type SignedRequests = Awaited<ReturnType<typeof openSignedRequests>>
