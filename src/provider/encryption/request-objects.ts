import { Buffer } from 'node:buffer'
import { decodeJwt } from 'jose'
import {
  type Client,
  errors,
  type KoaContextWithOIDC,
  Provider as Library,
  type Provider,
} from 'oidc-provider'
import { after, type Clock } from '../../kernel/clock.ts'
import type { Payload } from '../artefacts/payload.ts'
import type { InstanceInputs } from '../inputs.ts'
import { isTooDeep } from './bounded.ts'

const { InvalidRequest, InvalidRequestObject } = errors

/** How long a request may be valid, and how old it may be (FAPI 2.0 Message Signing §5.3.1). */
const longestSeconds = 3_600
const skewSeconds = 15
/** Of a request, signed or encrypted: what the library reads of a body, and a little less. */
const longestRequest = 48 * 1024
/** RFC 9101 §10.8.1: a JWT that says it is something else is no request. */
const requestTypes = new Set(['jwt', 'oauth-authz-req+jwt'])
/** Parameters that are JSON of their own; everything else is text, or a list of texts. */
const structured = new Set(['claims', 'authorization_details'])

/**
 * What the library does not ask of a request object (RFC 9101): that its time is bounded, that it is no other JWT of the
 * client, and that it has been made for this server alone. Signature, issuer, audience and expiry the library checks.
 */
export const requestObjectRules =
  (clock: Clock) =>
  (ctx: KoaContextWithOIDC, claims: Payload, header: Payload): void => {
    // What was pushed has been checked when it was, and the library puts what was pushed unsigned into a JWT of its own.
    if ('PushedAuthorizationRequest' in ctx.oidc.entities) return
    const fault = faultOfHeader(header) ?? faultOfClaims(claims) ?? faultOfTime(claims, clock)
    if (fault !== undefined) throw new InvalidRequestObject(fault)
  }

function faultOfHeader({ typ }: Payload): string | undefined {
  if (typ === undefined) return undefined
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : ''
  return requestTypes.has(type) ? undefined : 'Request Object typ must be oauth-authz-req+jwt'
}

/** A client assertion (RFC 7523 §3) names the client as its subject, which no request does (RFC 9101 §10.8.1). */
const faultOfClaims = ({ sub }: Payload): string | undefined =>
  sub === undefined ? undefined : 'Request Object must not contain sub'

function faultOfTime({ exp, nbf, iat }: Payload, clock: Clock): string | undefined {
  const now = Math.floor(clock.now().getTime() / 1000)
  if (typeof exp !== 'number') return 'Request Object must say until when it is valid (exp)'
  if (exp > now + longestSeconds + skewSeconds) return 'Request Object is valid for too long'
  const made = [nbf, iat].filter((instant) => typeof instant === 'number')
  if (made.some((instant) => instant > now + skewSeconds)) return 'Request Object is not valid yet'
  return made.some((instant) => instant < now - longestSeconds - skewSeconds)
    ? 'Request Object is too old'
    : undefined
}

/** Bounds the claims parameter (OpenID Connect Core 1.0 §5.5) and what a request object brings. */
export const boundRequests = (provider: Provider, { clock }: InstanceInputs): void => {
  watchParameters(provider)
  oncePushed(provider, clock)
}

const kept = Symbol('parameters')

interface Watched {
  [kept]?: Payload
}

/**
 * The library reads a request object, decrypted or not, before it asks us anything about it. So each value that becomes
 * the parameter `request` is looked at as it is set.
 */
function watchParameters({ OIDCContext }: Provider): void {
  Object.defineProperty(OIDCContext.prototype, 'params', {
    configurable: true,
    get(this: Watched) {
      return this[kept]
    },
    set(this: Watched & KoaContextWithOIDC['oidc'], params: Payload) {
      this[kept] = params
      if (!Object.hasOwn(params, 'request')) return
      for (const name of structured) boundJson(name, params[name])
      if (params.request !== undefined) watchRequest(params, this)
    },
  })
}

function boundJson(name: string, value: unknown): void {
  if (typeof value === 'string' && isTooDeep(value)) throw new InvalidRequest(`${name} is nested too deeply`)
}

function watchRequest(params: Payload, oidc: KoaContextWithOIDC['oidc']): void {
  let request = params.request
  let encryption: Payload | undefined
  const look = (value: unknown): void => {
    if (typeof value !== 'string') return
    if (value.length > longestRequest) throw new InvalidRequestObject('Request Object is too large')
    if (value.split('.', 6).length === 5) encryption = headerOf(value)
    else refuseUnreadable(value, params)
  }
  look(request)
  Object.defineProperty(params, 'request', {
    configurable: true,
    enumerable: true,
    get: () => request,
    set(value: unknown) {
      if (encryption !== undefined && value !== undefined) refuseOtherEncryption(encryption, oidc.client)
      look(value)
      request = value
    },
  })
}

/** The header alone; `{}` for what is none, which the library refuses. */
function headerOf(token: string): Payload {
  const text = textOf(token.split('.', 1)[0])
  if (isTooDeep(text)) throw new InvalidRequestObject('Request Object is nested too deeply')
  return objectOf(text) ?? {}
}

const textOf = (part = ''): string => Buffer.from(part, 'base64url').toString('utf8')

function objectOf(text: string): Payload | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Payload)
      : undefined
  } catch {
    return undefined // The library says what is wrong with it.
  }
}

function refuseUnreadable(token: string, params: Payload): void {
  headerOf(token)
  const text = textOf(token.split('.', 2)[1])
  if (isTooDeep(text)) throw new InvalidRequestObject('Request Object is nested too deeply')
  for (const [name, value] of Object.entries(objectOf(text) ?? {})) {
    if (!Object.hasOwn(params, name) || structured.has(name)) continue
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    if (values.some((each) => typeof each === 'object'))
      throw new InvalidRequestObject(`Request Object has a ${name} that is no text`)
  }
}

/** A client that says how it encrypts its requests encrypts them so (OpenID Connect Registration 1.0 §2). */
function refuseOtherEncryption({ alg, enc }: Payload, client: Client | undefined): void {
  const { requestObjectEncryptionAlg, requestObjectEncryptionEnc } = (client ?? {}) as Payload
  if (requestObjectEncryptionAlg === undefined) return
  if (alg === requestObjectEncryptionAlg && enc === requestObjectEncryptionEnc) return
  throw new InvalidRequestObject('the preregistered alg and enc must be used to encrypt the Request Object')
}

/**
 * A request object with an identifier is pushed once. At the front door it may come again, since browsers reload pages;
 * it is good for an hour at most, and gives each browser what its own person allows.
 */
function oncePushed(provider: Provider, clock: Clock): void {
  const { PushedAuthorizationRequest, ReplayDetection } = provider
  const { save } = PushedAuthorizationRequest.prototype
  PushedAuthorizationRequest.prototype.save = async function once(ttl) {
    const { jti } = decodeJwt(this.request)
    const clientId = Library.ctx?.oidc.client?.clientId
    if (jti !== undefined && clientId !== undefined) {
      const until = Math.floor(after(clock.now(), longestSeconds).getTime() / 1000)
      if (!(await ReplayDetection.unique(`request ${clientId}`, jti, until)))
        throw new InvalidRequestObject('Request Object was already used')
    }
    return await save.call(this, ttl)
  }
}
