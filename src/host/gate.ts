import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Context, Middleware } from 'koa'
import { AppError } from '../kernel/errors.ts'
import { longestUserAgent, type RequestFacts } from '../kernel/http.ts'
import { clientAddress } from './address.ts'
import type { CertificateDoor } from './mtls.ts'

const maximumBodyBytes = 64 * 1024
const maximumUrlLength = 8 * 1024
const requestIdPattern = /^[A-Za-z0-9._-]{8,64}$/

export interface GateOptions {
  readonly issuer: URL
  readonly isTrusted: (address: string) => boolean
  /** The other host, for clients with a certificate. */
  readonly door?: CertificateDoor | undefined
}

/** Establishes who asks, under which id, and makes the forwarded headers say what is so instead of what was sent. */
export function requestFacts({ issuer, isTrusted, door }: GateOptions): Middleware {
  return (ctx, next) => {
    const { headers, socket } = ctx.req
    const peer = socket.remoteAddress ?? ''
    const address = clientAddress(peer, headerOf(ctx.req, 'x-forwarded-for'), isTrusted)
    const sent = headerOf(ctx.req, 'x-request-id')
    const requestId =
      sent !== undefined && isTrusted(peer) && requestIdPattern.test(sent) ? sent : randomUUID()
    const facts: RequestFacts = {
      requestId,
      address,
      userAgent: (headers['user-agent'] ?? '').slice(0, longestUserAgent),
    }
    ctx.state.facts = facts
    ctx.state.claimedHost = onlyHost(ctx.req)
    ctx.set('X-Request-Id', requestId)
    // The library builds its URLs from these; they come from the configured issuer alone.
    headers['x-forwarded-for'] = address
    const atDoor = isAt(door?.url, ctx) && door?.showingPages.has(ctx.path) === false
    const { protocol, host } = atDoor ? door.url : issuer
    headers['x-forwarded-proto'] = protocol.slice(0, -1)
    headers['x-forwarded-host'] = host
    delete headers.forwarded
    return next()
  }
}

const headerOf = ({ headers }: IncomingMessage, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

/** `undefined` where there is none or several (RFC 9112 §3.2); of several, proxies and servers take different ones. */
function onlyHost({ rawHeaders, headers }: IncomingMessage): string | undefined {
  const count = rawHeaders.filter(
    (name, index) => index % 2 === 0 && name.length === 4 && name.toLowerCase() === 'host',
  ).length
  return count === 1 ? headers.host : undefined
}

/** Whether the request is for this host. */
function isAt(url: URL | undefined, { state }: Context): boolean {
  if (url === undefined) return false
  const claimed = String(state.claimedHost ?? '').toLowerCase()
  return (
    claimed === url.host ||
    (url.port === '' && claimed === `${url.host}:${url.protocol === 'https:' ? 443 : 80}`)
  )
}

/**
 * RFC 9110 §7.4: a request for another host is not for this server. At the host for certificates there are its endpoints and
 * nothing else, and where this server listens for it itself, each of the two hosts is answered at its own port alone.
 */
export function hostCheck({ issuer, door }: GateOptions): Middleware {
  return (ctx, next) => {
    const accepted =
      ctx.url.startsWith('/') &&
      (door?.hasArrived(ctx.req) ? isAlias(door, ctx) : isAt(issuer, ctx) || isAlias(door, ctx))
    if (accepted) return next()
    const text =
      isAt(door?.url, ctx) || door?.hasArrived(ctx.req)
        ? 'Nothing but the endpoints of mtls_endpoint_aliases is answered here.'
        : `This server answers for ${issuer.host} only.`
    throw new AppError('host.wrong_host', 421, text)
  }
}

function isAlias(door: CertificateDoor | undefined, ctx: Context): boolean {
  if (door === undefined || !isAt(door.url, ctx) || !door.paths.has(ctx.path)) return false
  return door.own === undefined || door.hasArrived(ctx.req)
}

/** Lets the body of a form with a file be as large as its page allows; what is in the file is for that page to check. */
export const uploadAllowance =
  (allowed: (ctx: Context) => number | undefined): Middleware =>
  (ctx, next) => {
    ctx.state.uploadBytes = allowed(ctx)
    return next()
  }

/** Refuses what no client means to send: oversize, NUL, broken percent-encoding, invalid UTF-8. */
export const wellFormed: Middleware = (ctx, next) => {
  if (ctx.url.length > maximumUrlLength)
    throw new AppError('host.url_too_long', 414, 'The address is too long.')
  // RFC 3986 §2: a URI is written in ASCII; whatever else there is stands percent-encoded.
  if (/[^\x21-\x7e]/.test(ctx.url) || !isWellFormedEncoding(ctx.url)) throw malformed()
  const upload = ctx.state.uploadBytes as number | undefined
  const maximum = upload ?? maximumBodyBytes
  if ((ctx.request.length ?? 0) > maximum) throw tooLarge(maximum)
  if (ctx.method === 'POST') guardBody(ctx.req, { maximum, isText: upload === undefined })
  return next()
}

const malformed = (): AppError =>
  new AppError(
    'host.malformed',
    400,
    'The request holds a NUL character or is not valid UTF-8. Correct it and send it again.',
  )

const tooLarge = (maximum: number): AppError =>
  new AppError('host.body_too_large', 413, `The body is larger than ${maximum} bytes.`)

/** True for percent-encoded text that decodes to UTF-8 without NUL. */
function isWellFormedEncoding(text: string): boolean {
  if (!text.includes('%')) return !text.includes('\0')
  try {
    return !decodeURIComponent(text).includes('\0')
  } catch {
    return false
  }
}

interface BodyRule {
  readonly maximum: number
  readonly isText: boolean
}

/** Whoever reads the body, the library included, reads it through this check. */
function guardBody(request: IncomingMessage, { maximum, isText }: BodyRule): void {
  const read = request.iterator.bind(request)
  const guarded = async function* iterate(): AsyncGenerator<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of read({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length
      if (size > maximum) throw tooLarge(maximum)
      chunks.push(chunk as Buffer)
    }
    const body = Buffer.concat(chunks)
    if (isText && !isWellFormedEncoding(decodeUtf8(body))) throw malformed()
    yield body
  }
  Object.defineProperty(request, 'iterator', { value: guarded })
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

function decodeUtf8(body: Buffer): string {
  try {
    return strictUtf8.decode(body)
  } catch {
    throw malformed()
  }
}
