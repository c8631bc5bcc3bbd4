import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { errors } from 'oidc-provider'
import { isFuture } from './request-objects.ts'
import { by, described, type ProfileRules } from './rules.ts'

interface Arrival {
  readonly rules: ProfileRules
  readonly route: string
  /** The form of a POST, else the query. */
  readonly sent: Readonly<Record<string, unknown>>
  readonly authorization: string
  readonly dpop: string
  readonly issuer: string
  readonly now: Date
}

type Look = (arrival: Arrival) => Error | undefined

/** Where clients authenticate. */
const authenticating: ReadonlySet<string> = new Set([
  'token',
  'pushed_authorization_request',
  'introspection',
  'revocation',
  'device_authorization',
  'backchannel_authentication',
])

/**
 * Refuses what a request shows at first sight to be against the profile of its client. Nothing is verified yet, so this only
 * ever refuses; the library checks all of it again, and would refuse most of it in words that do not name the profile.
 */
export function refuseOnArrival(
  rules: ProfileRules,
  ctx: KoaContextWithOIDC,
  { issuer, now }: Pick<Arrival, 'issuer' | 'now'>,
): void {
  if (rules.fapi === undefined) return
  const { route, body } = ctx.oidc
  const arrival = {
    rules,
    route,
    sent: (ctx.method === 'POST' ? body : ctx.query) ?? {},
    authorization: ctx.get('authorization'),
    dpop: ctx.get('dpop'),
    issuer,
    now,
  }
  const looks = route === 'authorization' ? ofBrowsers : authenticating.has(route) ? ofClients : []
  const refusal = looks.map((look) => look(arrival)).find((error) => error !== undefined)
  if (refusal === undefined) return
  if (refusal instanceof errors.InvalidRequestObject) answerAsAsked(ctx, arrival.sent.request)
  throw refusal
}

/** As the library does it before it looks closer at a request object: where that cannot be trusted, its way of being answered still counts. */
function answerAsAsked({ oidc: { params = {} } }: KoaContextWithOIDC, request: unknown): void {
  const claims = partsOf(request)?.claims ?? {}
  for (const name of ['state', 'response_mode', 'response_type']) {
    if (typeof claims[name] === 'string') params[name] = claims[name]
  }
}

const unsigned: Look = ({ rules, route, sent: { request, request_uri } }) => {
  const isRequest = route === 'authorization' || route === 'pushed_authorization_request'
  if (!isRequest || !rules.signedRequests || request !== undefined || request_uri !== undefined)
    return undefined
  return new errors.InvalidRequest(`the request must be a signed request object${by(rules)}`)
}

const wronglySigned: Look = ({ rules, route, sent: { request } }) => {
  if (!isForeignAlgorithm(rules, request)) return undefined
  // The errors of CIBA Core 1.0 §13 know no invalid_request_object.
  const Refusal = route === 'backchannel_authentication' ? errors.InvalidRequest : errors.InvalidRequestObject
  return new Refusal(`the request object must be signed with ${algorithms(rules)}${by(rules)}`)
}

/** What a browser brings to the authorization endpoint. */
const ofBrowsers: readonly Look[] = [
  ({ rules, sent: { request_uri } }) =>
    rules.pushedRequests && request_uri === undefined
      ? new errors.InvalidRequest(`the request must be pushed first (PAR)${by(rules)}`)
      : undefined,
  unsigned,
  wronglySigned,
]

/** What a client brings itself. */
const ofClients: readonly Look[] = [
  ({ rules, sent, authorization }) =>
    sent.client_secret !== undefined || authorization !== ''
      ? notAuthenticated(`the client must prove itself by a key and not by a secret${by(rules)}`)
      : undefined,
  ({ rules, sent: { client_assertion } }) =>
    isForeignAlgorithm(rules, client_assertion)
      ? notAuthenticated(`the client assertion must be signed with ${algorithms(rules)}${by(rules)}`)
      : undefined,
  ({ rules, sent: { client_assertion }, issuer }) =>
    rules.issuerAudience && partsOf(client_assertion)?.claims.aud !== issuer && client_assertion !== undefined
      ? notAuthenticated(`the client assertion must have the issuer as its one audience${by(rules)}`)
      : undefined,
  ({ rules, sent: { client_assertion }, now }) =>
    isFuture(partsOf(client_assertion)?.claims ?? {}, now)
      ? notAuthenticated(`the client assertion must not be from the future${by(rules)}`)
      : undefined,
  ({ rules, dpop }) =>
    dpop !== '' && isForeignAlgorithm(rules, dpop)
      ? new errors.InvalidDpopProof(`the DPoP proof must be signed with ${algorithms(rules)}${by(rules)}`)
      : undefined,
  ({ rules, dpop, now }) =>
    isFuture(partsOf(dpop)?.claims ?? {}, now)
      ? new errors.InvalidDpopProof(`the DPoP proof must not be from the future${by(rules)}`)
      : undefined,
  unsigned,
  wronglySigned,
]

const algorithms = ({ algorithms: allowed = [] }: ProfileRules): string => allowed.join(', ')

const notAuthenticated = (description: string): Error =>
  described(new errors.InvalidClientAuth(description), description)

/** Signed with something that the profile does not know. What cannot be read, encrypted ones included, is left to the library. */
function isForeignAlgorithm({ algorithms: allowed }: ProfileRules, token: unknown): boolean {
  const algorithm = partsOf(token)?.header.alg
  return allowed !== undefined && algorithm !== undefined && !allowed.includes(String(algorithm))
}

interface Parts {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

function partsOf(token: unknown): Parts | undefined {
  if (typeof token !== 'string') return undefined
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) }
  } catch {
    return undefined
  }
}
