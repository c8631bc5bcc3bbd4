import { z } from 'zod'

/** A confidential client that authenticates with `client_secret_basic`. */
export interface Credentials {
  readonly id: string
  readonly secret: string
}

/**
 * What the bench needs of a server under test.
 *
 * - `web`: first-party, authorization code, refresh token and device grants, redirect URI and scope of `parameters`.
 * - `service`: client credentials, may use both APIs with scope `parameters.apiScope`, may introspect its own tokens.
 * - `fapi`: first-party, as `web`; authenticates by `private_key_jwt`, pushes its requests and binds its tokens by DPoP.
 * - `exchanger`: first-party, may use the ES256 API and exchange the tokens that it gets for it; where the server can do that.
 * - `apis`: resource indicators whose access tokens are JWTs signed with the named algorithm.
 */
export interface Seeded {
  readonly web: Credentials
  readonly service: Credentials
  readonly fapi: Pick<Credentials, 'id'>
  readonly exchanger?: Credentials
  readonly apis: { readonly es256: string; readonly rs256: string }
  readonly user: { readonly identifier: string; readonly password: string }
}

export interface Target extends Seeded {
  readonly name: string
  /** As many first-party clients as were asked for, which may do what `web` and `service` may. */
  readonly crowd?: readonly Credentials[]
  /** `http://localhost:<port>`; every request carries this host. */
  readonly issuer: string
  readonly endpoints: Endpoints
}

/** A running server under test. */
export interface Running {
  readonly target: Target
  /** The process whose CPU time and memory are measured. */
  readonly pid: number
  /** Milliseconds from spawning to the first answered discovery request, one for each start on an existing database. */
  readonly coldStartsMs: readonly number[]
  stop(): Promise<void>
}

const discoveryDocument = z.object({
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  introspection_endpoint: z.url(),
  userinfo_endpoint: z.url(),
  jwks_uri: z.url(),
  pushed_authorization_request_endpoint: z.url(),
  device_authorization_endpoint: z.url(),
  registration_endpoint: z.url(),
})

export interface Endpoints extends z.infer<typeof discoveryDocument> {
  readonly discovery: string
}

export function discoveryUrl(issuer: string): string {
  return `${issuer}/.well-known/openid-configuration`
}

/** Reads the endpoints the server publishes (OpenID Connect Discovery 1.0 §4). */
export async function discover(issuer: string): Promise<Endpoints> {
  const discovery = discoveryUrl(issuer)
  const response = await fetch(discovery)
  if (response.status !== 200) throw new Error(`${discovery} answered ${response.status}`)
  return { discovery, ...discoveryDocument.parse(await response.json()) }
}
