/** What the server offers of RFC 8705. */
export interface MutualTls {
  /** Whether anybody asks clients for certificates: this server itself, or the proxy in front of it. */
  readonly offered: boolean
  /** Where they are asked for, where that is not where people go: the origin of the endpoints' aliases (RFC 8705 §5). */
  readonly origin: string | undefined
}
