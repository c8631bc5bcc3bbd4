import type { JWTPayload } from 'jose'
import type { FederatedCredential, TrustedIssuer } from './ports.ts'

/** A token whose issuer, signature, audience and times have been checked. */
export interface Assertion {
  readonly issuer: TrustedIssuer
  readonly claims: JWTPayload & { readonly sub: string; readonly exp: number; readonly iat: number }
}

/** Whether a token is one of those that a client has named. */
export const isMatch = (
  { issuer, subject, audience, claims = {} }: FederatedCredential,
  assertion: Assertion,
): boolean =>
  issuer === assertion.issuer.issuer &&
  isSubject(subject, assertion.claims.sub) &&
  (audience === undefined || listOf(assertion.claims.aud).includes(audience)) &&
  Object.entries(claims).every(
    ([name, value]) => Object.hasOwn(assertion.claims, name) && assertion.claims[name] === value,
  )

/** The pattern's `*` stands behind a delimiter, so what it covers is below the subject and no neighbour of it. */
function isSubject(pattern: string, subject: string): boolean {
  if (!pattern.endsWith('*')) return pattern === subject
  const start = pattern.slice(0, -1)
  return subject.length > start.length && subject.startsWith(start)
}

export const listOf = (audience: string | readonly string[] | undefined): readonly string[] =>
  audience === undefined ? [] : typeof audience === 'string' ? [audience] : audience
