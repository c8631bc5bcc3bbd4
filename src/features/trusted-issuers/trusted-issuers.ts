import type { UserId } from '../../kernel/ids.ts'
import type { PublicJwks } from '../../kernel/public-keys.ts'
import type { AssertionAlgorithm } from './definition.ts'

/** A person whom a subject of the issuer stands for. */
export interface MappedPerson {
  /** The `sub` of the issuer's tokens, compared character by character. */
  readonly subject: string
  readonly userId: UserId
}

/** An issuer whose signed tokens are believed. Frozen, as many requests share one. */
export interface TrustedIssuer {
  readonly id: string
  /** The `iss` of its tokens, compared character by character. */
  readonly issuer: string
  readonly name: string
  /** Where its keys are; without one and without `jwks` its discovery document says. */
  readonly jwksUri: string | undefined
  readonly jwks: PublicJwks | undefined
  readonly algorithms: readonly AssertionAlgorithm[]
  /** What its tokens must be made for; empty for this server's own issuer identifier. */
  readonly audiences: readonly string[]
  /** Seconds between `iat` and `exp` at most. */
  readonly maximumLifetimeSeconds: number
  /** Each of its tokens is taken once. */
  readonly singleUse: boolean
  readonly people: readonly MappedPerson[]
  readonly disabledAt: Date | undefined
}

/** What the protocol asks about trusted issuers. */
export interface TrustedIssuers {
  /** `undefined` for an issuer that is not trusted or is disabled. */
  find(issuer: string): Promise<TrustedIssuer | undefined>
}

/** What administrators decide about one. */
export type TrustedIssuerDraft = Omit<TrustedIssuer, 'id' | 'disabledAt'>

export interface StoredIssuer extends TrustedIssuer {
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** One as administrators see it. */
export interface TrustedIssuerItem
  extends Omit<StoredIssuer, 'disabledAt' | 'createdAt' | 'updatedAt' | 'jwks' | 'jwksUri'> {
  readonly jwks: PublicJwks | null
  readonly jwksUri: string | null
  readonly state: 'active' | 'disabled'
  /** ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}

export const itemOf = ({
  disabledAt,
  createdAt,
  updatedAt,
  jwks,
  jwksUri,
  ...rest
}: StoredIssuer): TrustedIssuerItem => ({
  ...rest,
  jwks: jwks ?? null,
  jwksUri: jwksUri ?? null,
  state: disabledAt === undefined ? 'active' : 'disabled',
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})
