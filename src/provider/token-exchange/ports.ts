import type { FederatedCredential } from '../assertions/ports.ts'

/** What a client may do by token exchange (RFC 8693). */
export interface ExchangePolicy {
  readonly modes: readonly ('impersonate' | 'delegate')[]
  /** Indicators of the APIs that the tokens may be for. */
  readonly audiences: readonly string[]
  /** The other clients whose tokens it may take. */
  readonly subjectClients: readonly string[]
  /** The APIs whose tokens it may take; any where nothing is said. */
  readonly subjectAudiences?: readonly string[] | undefined
  /** The trusted issuers whose tokens it may take. */
  readonly subjectIssuers: readonly string[]
}

/** What a client says of the tokens of others that it brings. */
export interface ExchangeFields {
  readonly tokenExchange?: ExchangePolicy | undefined
  /** Who alone may act with its access tokens (RFC 8693 §4.4). */
  readonly mayAct?: { readonly sub: string } | undefined
  readonly federatedCredentials?: readonly FederatedCredential[] | undefined
}
