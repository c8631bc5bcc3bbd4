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
