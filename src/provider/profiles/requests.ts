import type { KoaContextWithOIDC } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Payload } from '../artefacts/payload.ts'
import { by, type ProfileRules } from './rules.ts'

interface AuthorizationRequest {
  readonly rules: ProfileRules
  /** What counts: of a request object, its own parameters alone. */
  readonly params: Payload
  readonly responseType: string
  readonly responseMode: string
  /** What stands beside the request object, or is the request. */
  readonly outside: Payload
  readonly offered: readonly string[]
}

type Check = (request: AuthorizationRequest) => Error | undefined

/**
 * Refuses an authorization request, pushed or brought by a browser, that its client's profile does not allow. The
 * parameters are final by now; whether they make sense is the library's to say afterwards.
 */
export function refuseRequest(
  rules: ProfileRules,
  ctx: KoaContextWithOIDC,
  offered: readonly string[],
): void {
  const { params = {}, body } = ctx.oidc
  const request = {
    rules,
    params,
    responseType: typeof params.response_type === 'string' ? normalized(params.response_type) : '',
    responseMode: ctx.oidc.responseMode ?? '',
    outside: (ctx.method === 'POST' ? body : ctx.query) ?? {},
    offered,
  }
  const refusal = checks.map((check) => check(request)).find((error) => error !== undefined)
  if (refusal !== undefined) throw refusal
}

const checks: readonly Check[] = [
  // RFC 9101 §6.3: what stands beside a request object does not count, and is not made up for.
  ({ rules, params, outside }) => {
    if (!rules.signedRequests) return undefined
    const missing = ['response_type', 'redirect_uri', 'code_challenge'].find(
      (name) => params[name] === undefined && outside[name] !== undefined,
    )
    return missing
      ? new errors.InvalidRequest(`${missing} must stand in the signed request object${by(rules)}`)
      : undefined
  },

  // Asked here, as the library asks its first question about it without looking whether it is there.
  ({ responseType }) =>
    responseType === '' ? new errors.InvalidRequest('missing required parameter response_type') : undefined,

  ({ rules, responseType, offered }) => {
    if (responseType === 'none' || rules.responses[responseType] !== undefined) return undefined
    const description = `the response type ${responseType} is not allowed${by(rules)}`
    return offered.includes(responseType)
      ? new errors.InvalidRequest(description)
      : new errors.UnsupportedResponseType(description)
  },

  ({ rules, responseType, responseMode }) => {
    const modes = rules.responses[responseType]
    // One that there is not at all is the library's to name.
    if (modes === undefined || modes.includes(responseMode) || !known.has(responseMode)) return undefined
    return new errors.InvalidRequest(
      `the response mode ${responseMode} is not allowed with ${responseType}${by(rules)}: use one of ${modes.join(', ')}`,
    )
  },

  ({ rules, params }) =>
    params.code_challenge !== undefined && params.code_challenge_method !== 'S256'
      ? new errors.InvalidRequest(`PKCE must use S256${by(rules)}: send code_challenge_method S256`)
      : undefined,
]

const known: ReadonlySet<string> = new Set(['query', 'fragment', 'form_post'])

const normalized = (responseType: string): string =>
  [...new Set(responseType.split(' '))].toSorted().join(' ')
