import type { DeclaredClaim } from '../../kernel/declared-claims.ts'
import type { Ports } from '../ports.ts'

/** The person whose claims are told, and how much of him may be. */
export interface ClaimSubject {
  readonly userId: string
  /** The scopes that he has allowed the client; `all` where the client is the operator's own. */
  readonly scopes: ReadonlySet<string> | 'all'
}

/**
 * What administrators have declared, with its values. A value of a person is only told where he has allowed the client a
 * scope that gives it (OpenID Connect Core 1.0 §5.4), so that a declaration never tells more than was agreed to.
 */
export async function declaredClaims(
  { accounts }: Pick<Ports, 'accounts'>,
  declared: readonly DeclaredClaim[],
  subject: ClaimSubject | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  const sources = declared.map(({ from }) => nameOf(from))
  const scopes = subject && scopesFor(accounts.scopes, sources, subject.scopes)
  const person =
    subject !== undefined && scopes !== undefined && scopes.size > 0
      ? await accounts.claims(subject.userId, scopes)
      : {}
  const told = declared.flatMap(({ claim, from, value }) => {
    const name = nameOf(from)
    const known = name === undefined ? value : person[name]
    return known === undefined ? [] : [[claim, known] as const]
  })
  return Object.fromEntries(told)
}

/** `user.email` is the claim `email`; what is fixed is no claim of a person. */
const nameOf = (from: string): string | undefined =>
  from === 'fixed' ? undefined : from.slice(from.indexOf('.') + 1)

function scopesFor(
  claimsByScope: Readonly<Record<string, readonly string[]>>,
  names: readonly (string | undefined)[],
  allowed: ClaimSubject['scopes'],
): ReadonlySet<string> {
  const wanted = new Set(names)
  const giving = Object.entries(claimsByScope).filter(([, claims]) => claims.some((name) => wanted.has(name)))
  return new Set(giving.map(([scope]) => scope).filter((scope) => allowed === 'all' || allowed.has(scope)))
}
