import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { OptionInputs } from '../inputs.ts'
import { by, type ProfileRules, rulesOf } from './rules.ts'

type Members = Readonly<Record<string, unknown>>

interface Received {
  readonly route: string
  readonly claims: Members
  readonly header: Members
  readonly signed: boolean
  readonly now: Date
}

const longestSeconds = 3_600
/** JWTs from further in the future are refused, clocks that run apart aside (FAPI 2.0 Security Profile §5.3.2.1). */
const furthestFutureSeconds = 60

type Fault = (rules: ProfileRules, received: Received) => string | undefined

interface RequestObject {
  readonly ctx: KoaContextWithOIDC
  readonly claims: Members
  readonly header: Members
  readonly client: Client
}

/** Refuses a request object that the profile of its client does not allow; its signature is yet to be checked. */
export function refuseRequestObject(
  { ports, clock }: Pick<OptionInputs, 'ports' | 'clock'>,
  { ctx, claims, header, client }: RequestObject,
): void {
  const rules = rulesOf(ports.profiles, client)
  const signed = rules.signedRequests === true || client.requireSignedRequestObject === true
  const received = { route: ctx.oidc.route, claims, header, signed, now: clock.now() }
  const fault = faults.map((find) => find(rules, received)).find((text) => text !== undefined)
  if (fault !== undefined) throw new errors.InvalidRequestObject(fault)
}

const faults: readonly Fault[] = [
  (rules, { claims }) => {
    const missing = rules.fapi && ['exp', 'nbf', 'aud'].find((claim) => claims[claim] === undefined)
    return missing && `the request object must have the claim ${missing}${by(rules)}`
  },
  // OpenID Connect CIBA Core 1.0 §7.1.1, whatever the profile.
  (_rules, { route, claims }) => {
    if (route !== 'backchannel_authentication') return undefined
    const missing = ['exp', 'iat', 'nbf', 'jti'].find((claim) => claims[claim] === undefined)
    return missing && `Request Object is missing the '${missing}' claim`
  },
  // What was pushed unsigned is kept by the library in an unsigned object of its own; so it was before it had to be signed.
  (rules, { header, signed }) =>
    signed && header.alg === 'none'
      ? `the request must be a signed request object${rules.signedRequests ? by(rules) : ', as the client demands of itself'}`
      : undefined,
  (rules, { header }) => {
    if (rules.algorithms === undefined || header.alg === 'none') return undefined
    return rules.algorithms.includes(String(header.alg))
      ? undefined
      : `the request object must be signed with ${rules.algorithms.join(', ')}${by(rules)}`
  },
  (rules, { claims }) => {
    if (rules.fapi === undefined) return undefined
    const lifetime = Number(claims.exp) - Number(claims.nbf)
    return lifetime > 0 && lifetime <= longestSeconds
      ? undefined
      : `the request object must expire within 60 minutes of its nbf${by(rules)}`
  },
  (rules, { claims, now }) => {
    if (rules.fapi === undefined) return undefined
    const seconds = now.getTime() / 1000
    return Number(claims.nbf) >= seconds - longestSeconds
      ? undefined
      : `the nbf of the request object must not be older than 60 minutes${by(rules)}`
  },
  (rules, { claims, now }) =>
    rules.fapi !== undefined && isFuture(claims, now)
      ? `the request object must not be from the future${by(rules)}`
      : undefined,
]

export function isFuture(claims: Members, now: Date): boolean {
  const latest = now.getTime() / 1000 + furthestFutureSeconds
  return [claims.iat, claims.nbf].some((at) => typeof at === 'number' && at > latest)
}
