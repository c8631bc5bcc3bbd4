import type { IncomingMessage } from 'node:http'
import { AppError } from '../kernel/errors.ts'
import type { Listener } from './server.ts'

/** Where clients with a certificate find their endpoints (RFC 8705 §5). */
export interface CertificateDoor {
  readonly url: URL
  /** The only paths that are answered there. */
  readonly paths: ReadonlySet<string>
  /** Those of them whose answers hold the address of a page, which is only at the issuer's host. */
  readonly showingPages: ReadonlySet<string>
  /** Where this server itself listens there. */
  readonly own: { readonly port: number } | undefined
  /** Marks what arrives at its own listener. */
  arriving(handler: Listener): Listener
  hasArrived(request: IncomingMessage): boolean
}

export interface CertificateDoorOptions {
  readonly issuer: URL
  readonly url: string | undefined
  readonly port: number | undefined
  readonly certificateHeader: string | undefined
  /** TLS ends at this server. */
  readonly hasTls: boolean
  /** From the issuer on, such as `/token`. */
  readonly endpoints: readonly string[]
  /** Those of them whose answers hold the address of a page. */
  readonly showingPages: readonly string[]
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Throws `host.mtls_misconfigured` where the settings do not fit together. */
export function openCertificateDoor(options: CertificateDoorOptions): CertificateDoor | undefined {
  const { issuer, url: text, port, hasTls, endpoints, showingPages } = options
  const fault = faultOf(options)
  if (fault !== undefined) throw new AppError('host.mtls_misconfigured', 500, fault)
  if (text === undefined) return undefined
  const url = new URL(text)
  const base = issuer.pathname === '/' ? '' : issuer.pathname
  const arrived = new WeakSet<IncomingMessage>()
  return {
    url,
    paths: new Set(endpoints.map((path) => base + path)),
    showingPages: new Set(showingPages.map((path) => base + path)),
    own: hasTls ? { port: port ?? Number(url.port || 443) } : undefined,
    arriving: (handler) => (request, response) => {
      arrived.add(request)
      handler(request, response)
    },
    hasArrived: (request) => arrived.has(request),
  }
}

function faultOf({
  issuer,
  url: text,
  port,
  certificateHeader,
  hasTls,
}: CertificateDoorOptions): string | undefined {
  if (hasTls && issuer.protocol !== 'https:')
    return 'With LATCHKEY_TLS_CERTIFICATE_FILE the server speaks https. Set LATCHKEY_ISSUER to an address that begins with https://.'
  if (port !== undefined && (text === undefined || !hasTls))
    return 'LATCHKEY_MTLS_PORT needs LATCHKEY_MTLS_URL and LATCHKEY_TLS_CERTIFICATE_FILE. Set them, or leave it out.'
  if (text === undefined) return undefined
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.has(url.hostname)))
    return 'LATCHKEY_MTLS_URL must begin with https://.'
  if (
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  )
    return 'LATCHKEY_MTLS_URL must be a scheme, a host and at most a port: the path is that of LATCHKEY_ISSUER.'
  if (url.host === issuer.host)
    return 'LATCHKEY_MTLS_URL must have another host or port than LATCHKEY_ISSUER, so that browsers are not asked for certificates.'
  if (!hasTls && certificateHeader === undefined)
    return 'LATCHKEY_MTLS_URL needs somebody who asks for certificates: set LATCHKEY_TLS_CERTIFICATE_FILE, or LATCHKEY_MTLS_CERTIFICATE_HEADER for a proxy.'
  return undefined
}
