/**
 * Owns the issuers whose signed tokens the operator trusts: where their keys are, what is demanded of their tokens.
 * Does not own the verification, nor which client or person a token stands for beyond the people named here.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { Resource } from '../../kernel/resource.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import { administerTrustedIssuers } from './administration.ts'
import { openTrustedIssuerStore } from './store.ts'
import type { TrustedIssuerItem, TrustedIssuers } from './trusted-issuers.ts'

export { trustedIssuersDefinition } from './definition.ts'
export type { TrustedIssuer, TrustedIssuerItem, TrustedIssuers } from './trusted-issuers.ts'

export interface TrustedIssuerDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  /** This server's own issuer identifier, which is never trusted as another one. */
  readonly issuer: string
}

export interface TrustedIssuersFeature extends Feature {
  readonly trustedIssuers: TrustedIssuers
  readonly resource: Resource<TrustedIssuerItem>
}

export function openTrustedIssuers({
  storage,
  ...dependencies
}: TrustedIssuerDependencies): TrustedIssuersFeature {
  const store = openTrustedIssuerStore(storage)
  return {
    name: 'trusted-issuers',
    trustedIssuers: { find: store.findActive },
    resource: administerTrustedIssuers({ store, ...dependencies }),
  }
}
