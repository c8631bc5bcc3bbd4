import { decodeJwt, decodeProtectedHeader, type JWTPayload, errors as jose, jwtVerify } from 'jose'
import { errors } from 'oidc-provider'
import type { Clock } from '../../kernel/clock.ts'
import type { Artefacts } from '../artefacts/artefacts.ts'
import type { OutboundFetch } from '../outbound.ts'
import type { IssuerKeys } from './keys.ts'
import { openIssuerKeys } from './keys.ts'
import { type Assertion, listOf } from './match.ts'
import type { TrustedIssuer, TrustedIssuers } from './ports.ts'

const maximumLength = 16_384
const toleranceSeconds = 15
const maximumSubjectLength = 512
/** RFC 8725 §3.11: a token that says it is something else (an access token, a logout token, a proof) is no assertion. */
const acceptedTypes = new Set(['jwt', 'application/jwt'])

/** A token that is not believed. The message tells the operator why; the client is not told. */
export class AssertionRefused extends Error {}

/** 503: the issuer is trusted, but its keys cannot be had, so nothing can be said of its token. */
export class KeysUnreachable extends errors.OIDCProviderError {
  override readonly error_description = 'the keys of the issuer cannot be fetched, try again in a moment'

  constructor(cause: unknown) {
    super(503, 'temporarily_unavailable')
    this.allow_redirect = false
    this.expose = true
    this.cause = cause
    this.error_detail = cause instanceof Error ? `${cause.message} ${causeOf(cause)}`.trim() : String(cause)
  }
}

const causeOf = ({ cause }: Error): string => (cause instanceof Error ? cause.message : '')

export interface Verifier {
  /** Throws `AssertionRefused`, or `KeysUnreachable`. Says nothing of whom the token stands for. */
  verify(assertion: string): Promise<Assertion>
  /** Counts a use; throws `AssertionRefused` for a second one where the issuer's tokens work once. */
  use(assertion: Assertion): Promise<void>
}

export interface VerifierDependencies {
  /** This server's own issuer identifier. */
  readonly issuer: string
  readonly clock: Clock
  readonly outbound: OutboundFetch
  readonly artefacts: Pick<Artefacts, 'insertOnce'>
  readonly ports: { readonly trustedIssuers: TrustedIssuers }
}

export function openVerifier(dependencies: VerifierDependencies): Verifier {
  const { issuer: own, clock, artefacts, ports } = dependencies
  const keys = openIssuerKeys(dependencies)
  return {
    async verify(assertion) {
      const iss = claimedIssuer(assertion)
      // What this server signs is for others; none of it proves anything to itself.
      const issuer = iss === own ? undefined : await ports.trustedIssuers.find(iss)
      if (issuer === undefined) throw new AssertionRefused(`the issuer ${iss} is not trusted`)
      const audiences = issuer.audiences.length > 0 ? issuer.audiences : [own]
      const claims = await checkSignature(assertion, { issuer, keys, clock, audiences })
      return { issuer, claims: checkClaims(claims, { issuer, audiences, now: clock.now() }) }
    },

    async use({ issuer, claims }) {
      if (!issuer.singleUse) return
      const { jti, exp } = claims
      if (typeof jti !== 'string' || jti === '')
        throw new AssertionRefused('the token has no jti, and those of its issuer work once')
      const ttlSeconds = exp + toleranceSeconds - Math.floor(clock.now().getTime() / 1000)
      const id = JSON.stringify(['assertion', issuer.issuer, jti])
      if (!(await artefacts.insertOnce('ReplayDetection', id, Math.max(1, ttlSeconds))))
        throw new AssertionRefused('the token was used before')
    },
  }
}

/** Who the token says has issued it; only to look up with which keys that is to be proven. */
function claimedIssuer(assertion: string): string {
  if (assertion.length > maximumLength) throw new AssertionRefused('the token is too long')
  try {
    const { typ = 'JWT' } = decodeProtectedHeader(assertion)
    const { iss } = decodeJwt(assertion)
    if (typeof typ !== 'string' || !acceptedTypes.has(typ.toLowerCase()))
      throw new AssertionRefused('the token is of another type')
    if (typeof iss !== 'string') throw new AssertionRefused('the token has no iss')
    return iss
  } catch (cause) {
    if (cause instanceof AssertionRefused) throw cause
    throw new AssertionRefused('the token is not a JWT', { cause })
  }
}

interface Checking {
  readonly issuer: TrustedIssuer
  readonly audiences: readonly string[]
}

async function checkSignature(
  assertion: string,
  { issuer, keys, clock, audiences }: Checking & { readonly keys: IssuerKeys; readonly clock: Clock },
): Promise<JWTPayload> {
  // Nothing but the issuer's own key set is asked for a key: `jku`, `x5u`, `x5c` and `jwk` of the header are not read.
  const options = {
    algorithms: [...issuer.algorithms],
    issuer: issuer.issuer,
    audience: [...audiences],
    clockTolerance: toleranceSeconds,
    currentDate: clock.now(),
    requiredClaims: ['sub', 'exp', 'iat'],
  }
  try {
    return (await jwtVerify(assertion, keys.of(issuer), options)).payload
  } catch (error) {
    if (error instanceof jose.JWKSMultipleMatchingKeys) return await tryEach(assertion, error, options)
    throw refusal(error)
  }
}

/** A key set without identifiers can hold several keys that would fit. */
async function tryEach(
  assertion: string,
  candidates: jose.JWKSMultipleMatchingKeys,
  options: Parameters<typeof jwtVerify>[2],
): Promise<JWTPayload> {
  for await (const key of candidates) {
    try {
      return (await jwtVerify(assertion, key, options)).payload
    } catch (error) {
      if (!(error instanceof jose.JWSSignatureVerificationFailed)) throw refusal(error)
    }
  }
  throw new AssertionRefused('the signature is not that of the issuer')
}

/** Codes of what is wrong with the token; everything else is about having its keys. */
const faultsOfToken = [
  jose.JWTExpired,
  jose.JWTClaimValidationFailed,
  jose.JWTInvalid,
  jose.JWSInvalid,
  jose.JWSSignatureVerificationFailed,
  jose.JWKSNoMatchingKey,
  jose.JOSEAlgNotAllowed,
  jose.JOSENotSupported,
]

const refusal = (error: unknown): Error =>
  faultsOfToken.some((fault) => error instanceof fault)
    ? new AssertionRefused((error as Error).message, { cause: error })
    : new KeysUnreachable(error)

function checkClaims(
  claims: JWTPayload,
  { issuer, audiences, now }: Checking & { readonly now: Date },
): Assertion['claims'] {
  const { sub, exp = 0, iat = 0, aud } = claims
  const refuse = (text: string): never => {
    throw new AssertionRefused(text)
  }
  if (typeof sub !== 'string' || sub === '' || sub.length > maximumSubjectLength)
    return refuse('the token has no sub')
  if (iat > now.getTime() / 1000 + toleranceSeconds) return refuse('the token is issued in the future')
  if (exp - iat > issuer.maximumLifetimeSeconds) return refuse('the token is valid for too long')
  // Whoever else a token is made for could bring it here.
  if (!listOf(aud).every((each) => audiences.includes(each))) return refuse('the token is for others, too')
  // OpenID Connect Back-Channel Logout 1.0 §2.4: only logout and other security event tokens have it.
  if (claims.events !== undefined) return refuse('the token tells of an event')
  return { ...claims, sub, exp, iat }
}
