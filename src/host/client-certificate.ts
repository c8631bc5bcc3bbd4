import type { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Middleware } from 'koa'
import type { Clock } from '../kernel/clock.ts'
import { AppError } from '../kernel/errors.ts'
import type { ClientCertificate } from '../kernel/http.ts'
import { plainAddress } from './address.ts'
import { type CertificateFormat, parseCertificate } from './certificate-formats.ts'

/** The headers in which a proxy tells of the certificate that its client showed. */
export interface CertificateHeaders {
  readonly certificate: string
  readonly format: CertificateFormat
  /** The header with the proxy's verdict, and what it says of a chain that leads to an authority it trusts. */
  readonly verdict: { readonly header: string; readonly value: string } | undefined
}

export interface ClientCertificateOptions {
  readonly headers: CertificateHeaders | undefined
  /** Whether this server itself has authorities to verify certificates against. */
  readonly hasAuthorities: boolean
  readonly isTrusted: (address: string) => boolean
  /** The host for clients with certificates, where there is one: at any other the headers say nothing. */
  readonly onlyHost: string | undefined
  readonly clock: Clock
}

/**
 * Establishes the certificate that the client has proven to hold the key of: in the TLS handshake with this server, or with
 * a proxy of ours that says so in a header. From anybody else the headers are taken away. One that cannot be read, of which
 * there are several, or whose time it is not, is none.
 */
export function clientCertificate(options: ClientCertificateOptions): Middleware {
  const { headers, hasAuthorities, onlyHost: host, clock } = options
  return (ctx, next) => {
    const { socket } = ctx.req
    const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
    // A proxy that forgets to clear the headers on its other hosts must not let anybody in there.
    const counts = host === undefined || String(ctx.state.claimedHost ?? '').toLowerCase() === host
    const found =
      shown === undefined
        ? headers && counts && !(socket instanceof TLSSocket)
          ? fromProxy(ctx.req, headers, options)
          : undefined
        : { certificate: shown, verified: hasAuthorities && (socket as TLSSocket).authorized }
    if (headers !== undefined) strip(ctx.req, headers)
    if (found === undefined || !isOfNow(found.certificate, clock.now())) return next()
    const verified = found.verified && isForClients(found.certificate)
    ctx.state.clientCertificate = { certificate: found.certificate, verified } satisfies ClientCertificate
    return next()
  }
}

function fromProxy(
  request: IncomingMessage,
  { certificate: name, format, verdict }: CertificateHeaders,
  { isTrusted }: Pick<ClientCertificateOptions, 'isTrusted'>,
): ClientCertificate | undefined {
  if (request.headers[name] === undefined) return undefined
  if (!isTrusted(plainAddress(request.socket.remoteAddress ?? ''))) return undefined
  const text = onlyHeader(request, name)
  const certificate = text === undefined ? undefined : parseCertificate(text, format)
  if (certificate === undefined) return undefined
  const verified = verdict !== undefined && onlyHeader(request, verdict.header) === verdict.value
  return { certificate, verified }
}

/** `undefined` where there is none, or several: proxies and servers may take different ones. */
function onlyHeader({ rawHeaders, headers }: IncomingMessage, name: string): string | undefined {
  const count = rawHeaders.filter((each, index) => index % 2 === 0 && each.toLowerCase() === name).length
  const value = headers[name]
  return count === 1 && typeof value === 'string' ? value : undefined
}

function strip({ headers }: IncomingMessage, { certificate, verdict }: CertificateHeaders): void {
  delete headers[certificate]
  if (verdict !== undefined) delete headers[verdict.header]
}

const isOfNow = ({ validFromDate, validToDate }: X509Certificate, now: Date): boolean =>
  validFromDate <= now && now <= validToDate

/** RFC 5280 §4.2.1.12: where a certificate says what it is for, that must include clients of TLS. */
const clientPurposes = new Set(['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'])
const isForClients = ({ keyUsage }: X509Certificate): boolean =>
  // Node calls the extended key usages so, and has none for a certificate without the extension.
  keyUsage === undefined || keyUsage.some((purpose) => clientPurposes.has(purpose))

interface HeaderSettings {
  readonly certificateHeader: string | undefined
  readonly certificateFormat: CertificateFormat
  readonly verdictHeader: string | undefined
  readonly verdictValue: string
}

/** Throws `host.bad_header` for a name that no header has. */
export function certificateHeaders(settings: HeaderSettings): CertificateHeaders | undefined {
  const { certificateHeader, certificateFormat: format, verdictHeader, verdictValue: value } = settings
  if (certificateHeader === undefined) return undefined
  return {
    certificate: headerName('LATCHKEY_MTLS_CERTIFICATE_HEADER', certificateHeader),
    format,
    verdict:
      verdictHeader === undefined
        ? undefined
        : { header: headerName('LATCHKEY_MTLS_VERDICT_HEADER', verdictHeader), value },
  }
}

function headerName(variable: string, name: string): string {
  // RFC 9110 §5.1
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return name.toLowerCase()
  throw new AppError(
    'host.bad_header',
    500,
    `${variable}: "${name}" is not the name of a header, such as Client-Cert.`,
  )
}
