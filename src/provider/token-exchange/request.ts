import type { TokenEndpointGrantContext } from 'oidc-provider'
import { errors } from 'oidc-provider'

export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** RFC 8693 §3. Refresh tokens are not exchanged: they are between their client and this server alone. */
export const tokenTypes = {
  access: 'urn:ietf:params:oauth:token-type:access_token',
  id: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const

/** RFC 8693 §2.1. `resource` and `audience` may come more than once, and then are refused as a target. */
export const exchangeParameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
] as const

export type ExchangeContext = TokenEndpointGrantContext<{
  readonly [Name in (typeof exchangeParameters)[number]]?: string
}>

/** A token that somebody brings, with what he says that it is. */
export interface Brought {
  readonly token: string
  readonly type: string
}

export interface ExchangeRequest {
  readonly subject: Brought
  readonly actor: Brought | undefined
  /** What the client calls the token it gets. */
  readonly issuedType: string
  /** The indicator of the API, where the request names one. */
  readonly target: string | undefined
}

const longestToken = 16_384

export function readRequest({ oidc: { params } }: ExchangeContext): ExchangeRequest {
  const subject = brought('subject', params.subject_token, params.subject_token_type)
  if (subject === undefined) throw new errors.InvalidRequest('missing required parameter(s) subject_token')
  const issuedType = params.requested_token_type ?? tokenTypes.access
  if (issuedType !== tokenTypes.access && issuedType !== tokenTypes.jwt)
    throw new errors.InvalidRequest('requested_token_type must be that of an access token or a JWT')
  return {
    subject,
    actor: brought('actor', params.actor_token, params.actor_token_type),
    issuedType,
    target: readTarget(params),
  }
}

function brought(who: string, token: unknown, type: unknown): Brought | undefined {
  if (token === undefined && type === undefined) return undefined
  if (typeof token !== 'string' || typeof type !== 'string')
    throw new errors.InvalidRequest(`${who}_token and ${who}_token_type are only given together`)
  if (!Object.values<string>(tokenTypes).includes(type))
    throw new errors.InvalidRequest(`tokens of this ${who}_token_type are not taken`)
  if (token.length > longestToken) throw new errors.InvalidRequest(`the ${who}_token is too long`)
  return { token, type }
}

/** Both parameters name an API by its indicator, and a token is for one. */
function readTarget({ resource, audience }: ExchangeContext['oidc']['params']): string | undefined {
  const named: readonly unknown[] = [resource, audience].flat().filter((each) => each !== undefined)
  const [target, ...more] = new Set(named)
  if (more.length > 0) throw new errors.InvalidTarget('a token is for one API: name one resource or audience')
  return typeof target === 'string' ? target : undefined
}
