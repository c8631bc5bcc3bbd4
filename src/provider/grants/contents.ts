import type { Grant } from 'oidc-provider'
import {
  type AuthorizationDetail,
  detailsAmong,
  distinctDetails,
} from '../../kernel/authorization-details.ts'
import type { RememberedConsent } from '../ports.ts'

/** What a grant holds in detail (RFC 9396); the last so many, as each request names those it is about. */
const detailsMaximum = 20
const detailsOf = (grant: Grant): readonly AuthorizationDetail[] =>
  (grant as { rar?: readonly AuthorizationDetail[] }).rar ?? []

/** Whether it holds all of that already. */
export function covers(
  grant: Grant,
  { scopes, claims, resources, authorizationDetails = [] }: RememberedConsent,
): boolean {
  const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
  const has = (set: ReadonlySet<string>, values: readonly string[]): boolean =>
    values.every((value) => set.has(value))
  return (
    has(words(grant.getOIDCScopeEncountered()), scopes) &&
    has(new Set(grant.getOIDCClaimsEncountered()), claims) &&
    detailsAmong(authorizationDetails, detailsOf(grant)).length === authorizationDetails.length &&
    Object.entries(resources).every(([indicator, wanted]) =>
      has(words(grant.getResourceScopeEncountered(indicator)), wanted),
    )
  )
}

/** Adds to a grant that is not written yet. */
export function extend(
  grant: Grant,
  { scopes, claims, resources, authorizationDetails = [] }: RememberedConsent,
): void {
  if (authorizationDetails.length > 0) {
    // The newest last, also of those it holds already.
    const kept = distinctDetails([...authorizationDetails, ...detailsOf(grant)]).slice(0, detailsMaximum)
    Object.assign(grant, { rar: kept })
  }
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '))
  if (claims.length > 0) grant.addOIDCClaims([...claims])
  for (const [indicator, wanted] of Object.entries(resources)) {
    if (wanted.length > 0) grant.addResourceScope(indicator, wanted.join(' '))
  }
}
