import type { X509Certificate } from 'node:crypto'

/** The TLS certificate of the client of a request (RFC 8705), of whose key it has proven possession. */
export interface ClientCertificate {
  /** Valid at the time of the request. */
  readonly certificate: X509Certificate
  /** It is for clients, and its chain leads to an authority that the operator trusts. */
  readonly verified: boolean
}

/** What is known of a request before anybody is identified; every audit entry and log line carries it. */
export interface RequestFacts {
  readonly requestId: string
  /** The peer's address as the host established it; IPv4-mapped IPv6 is given as IPv4. */
  readonly address: string
  /** At most `longestUserAgent` characters. */
  readonly userAgent: string
}

export const longestUserAgent = 256

/** What a User-Agent header tells; what it does not tell is left out. */
export interface Browser {
  readonly browser?: string
  readonly system?: string
}

/** Who does something: a person signed in, the command line, or the server by itself. */
export type Actor =
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'command-line' }
  | { readonly kind: 'system' }

export const systemActor: Actor = { kind: 'system' }
export const commandLineActor: Actor = { kind: 'command-line' }
