import type { RequestFacts } from '../../kernel/http.ts'

/** What a person has allowed a client. */
export interface Consent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** API scopes by resource indicator (RFC 8707). */
  readonly resources: Readonly<Record<string, readonly string[]>>
}

/** Who allowed it, and whom. */
export interface ConsentOwner {
  readonly userId: string
  readonly clientId: string
}

export interface Consents {
  find(userId: string, clientId: string): Promise<Consent | undefined>
  /** Adds to what was allowed before. */
  remember(owner: ConsentOwner, consent: Consent, request?: RequestFacts): Promise<void>
}

const union = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])]

export function merged(before: Consent | undefined, added: Consent): Consent {
  if (before === undefined) return added
  const indicators = union(Object.keys(before.resources), Object.keys(added.resources))
  return {
    scopes: union(before.scopes, added.scopes),
    claims: union(before.claims, added.claims),
    resources: Object.fromEntries(
      indicators.map((indicator) => [
        indicator,
        union(before.resources[indicator] ?? [], added.resources[indicator] ?? []),
      ]),
    ),
  }
}
