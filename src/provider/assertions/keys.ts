import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose'
import type { Clock } from '../../kernel/clock.ts'
import type { OutboundFetch } from '../outbound.ts'
import type { TrustedIssuer } from './ports.ts'

/** Keys are asked for again after this time, and for a key that is not among them at most once in the shorter one. */
const keepMilliseconds = 600_000
const cooldownMilliseconds = 30_000
/** Nobody is asked again so soon after he failed to answer. */
const failureMilliseconds = 5_000

export interface IssuerKeys {
  /** The keys of an issuer, kept as long as nobody changes what is known of it. */
  of(issuer: TrustedIssuer): JWTVerifyGetKey
}

interface KeyDependencies {
  readonly outbound: OutboundFetch
  readonly clock: Clock
}

export function openIssuerKeys(dependencies: KeyDependencies): IssuerKeys {
  const known = new Map<string, { readonly told: TrustedIssuer; readonly keys: JWTVerifyGetKey }>()
  return {
    of(issuer) {
      const before = known.get(issuer.issuer)
      if (before !== undefined && isSame(before.told, issuer)) return before.keys
      const keys = openKeys(issuer, dependencies)
      known.set(issuer.issuer, { told: issuer, keys })
      return keys
    },
  }
}

/** Whether its keys are still to be had in the same way. */
const isSame = (before: TrustedIssuer, now: TrustedIssuer): boolean =>
  before === now ||
  (before.jwksUri === now.jwksUri && JSON.stringify(before.jwks) === JSON.stringify(now.jwks))

function openKeys(
  { issuer, jwks, jwksUri }: TrustedIssuer,
  { outbound, clock }: KeyDependencies,
): JWTVerifyGetKey {
  if (jwks !== undefined) return createLocalJWKSet(jwks as JSONWebKeySet)
  const fetch = sparing(outbound, clock)
  if (jwksUri !== undefined) return remote(jwksUri, fetch)
  return discovered(issuer, fetch, clock)
}

/** Keys at the address that the issuer's discovery document names; it is read again after a while. */
function discovered(issuer: string, fetch: FetchImplementation, clock: Clock): JWTVerifyGetKey {
  let found: { readonly keys: JWTVerifyGetKey; readonly uri: string; readonly until: number } | undefined
  let finding: Promise<JWTVerifyGetKey> | undefined
  const find = async (): Promise<JWTVerifyGetKey> => {
    const now = clock.now().getTime()
    if (found !== undefined && found.until > now) return found.keys
    const uri = await discover(issuer, fetch)
    const keys = found?.uri === uri ? found.keys : remote(uri, fetch)
    found = { keys, uri, until: now + keepMilliseconds }
    return keys
  }
  return async (header, token) => {
    finding ??= find().finally(() => {
      finding = undefined
    })
    return await (await finding)(header, token)
  }
}

const remote = (uri: string, fetch: FetchImplementation): JWTVerifyGetKey =>
  createRemoteJWKSet(new URL(uri), {
    [customFetch]: fetch,
    cacheMaxAge: keepMilliseconds,
    cooldownDuration: cooldownMilliseconds,
  })

/** OpenID Connect Discovery 1.0 §4: the document must name the very issuer. */
async function discover(issuer: string, fetch: FetchImplementation): Promise<string> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const init = {
    headers: new Headers(),
    method: 'GET',
    redirect: 'manual',
    signal: new AbortController().signal,
  } as const
  const response = await fetch(address, init)
  const document = (await response.json()) as {
    readonly issuer?: unknown
    readonly jwks_uri?: unknown
  } | null
  if (response.status !== 200 || document?.issuer !== issuer)
    throw new Error(`${address} is not the discovery document of ${issuer}`)
  if (typeof document.jwks_uri !== 'string' || !URL.canParse(document.jwks_uri))
    throw new Error(`${address} names no jwks_uri`)
  return document.jwks_uri
}

/** The guarded fetch, which leaves a server alone for a while after it failed to answer. */
function sparing(outbound: OutboundFetch, clock: Clock): FetchImplementation {
  let failed: { readonly until: number; readonly cause: unknown } | undefined
  return async (url, options) => {
    if (failed !== undefined && failed.until > clock.now().getTime())
      throw new Error('the keys could not be fetched a moment ago', { cause: failed.cause })
    try {
      const response = await outbound(url, options)
      if (response.status !== 200) throw new Error(`${url} answered ${response.status}`)
      return response
    } catch (cause) {
      failed = { until: clock.now().getTime() + failureMilliseconds, cause }
      throw cause
    }
  }
}
