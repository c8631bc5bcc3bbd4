/** An issuer whose signed tokens are believed, as far as its tokens are verified with it. */
export interface TrustedIssuer {
  readonly issuer: string
  readonly jwksUri: string | undefined
  readonly jwks: { readonly keys: readonly object[] } | undefined
  readonly algorithms: readonly string[]
  /** What its tokens must be made for; empty for this server's own issuer identifier. */
  readonly audiences: readonly string[]
  /** Seconds between `iat` and `exp` at most. */
  readonly maximumLifetimeSeconds: number
  readonly singleUse: boolean
  /** The people whom its subjects stand for. */
  readonly people: readonly { readonly subject: string; readonly userId: string }[]
}

export interface TrustedIssuers {
  /** `undefined` for an issuer that is not trusted or is disabled. The same object as long as nobody changes it. */
  find(issuer: string): Promise<TrustedIssuer | undefined>
}

/** A token of a trusted issuer that stands for a client. */
export interface FederatedCredential {
  readonly issuer: string
  /** Exact, or with `*` behind its last `:` or `/` for whatever is below. */
  readonly subject: string
  readonly audience?: string | undefined
  /** Exact values. */
  readonly claims?: Readonly<Record<string, string | number | boolean>> | undefined
}
