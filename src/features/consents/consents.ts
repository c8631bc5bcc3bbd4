import { type AuthorizationDetail, distinctDetails } from '../../kernel/authorization-details.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Actor, RequestFacts } from '../../kernel/http.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'

/** What a person has allowed a client. */
export interface Consent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** API scopes by resource indicator (RFC 8707). */
  readonly resources: Readonly<Record<string, readonly string[]>>
  /** In all their particulars (RFC 9396). */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

/** Who allowed it, and whom. */
export interface ConsentOwner {
  readonly userId: string
  readonly clientId: string
}

export interface Consents {
  find(userId: string, clientId: string): Promise<Consent | undefined>
  /** The same, once nobody is withdrawing or narrowing it any more. */
  settled(userId: string, clientId: string): Promise<Consent | undefined>
  /** Adds to what was allowed before. */
  remember(owner: ConsentOwner, consent: Consent, request?: RequestFacts): Promise<void>
  /**
   * Takes back a part: only what is in `kept` stays allowed, and what came of the wider consent ends in the same
   * transaction; the client gets anew what is left. Throws `consents.not_found` (404) where nothing is remembered.
   */
  narrow(owner: ConsentOwner, kept: Consent, by: WithdrawnBy): Promise<void>
  /** What the person has allowed, by client. */
  list(userId: string): Promise<readonly StoredConsent[]>
  /**
   * Forgets what the person has allowed the client and ends, in the same transaction, every grant, code and token that
   * came of it. Throws `consents.not_found` (404) where the client has neither.
   */
  withdraw(owner: ConsentOwner, by: WithdrawnBy): Promise<void>
}

export interface StoredConsent extends Consent {
  readonly clientId: string
  readonly createdAt: Date
}

export interface WithdrawnBy {
  readonly actor: Actor
  readonly request?: RequestFacts
}

/** What a client holds of a person at the moment: all of his grants to it together. */
export interface Access extends Omit<Consent, 'claims'> {
  readonly clientId: string
  readonly since: Date
  /** When a code or token was last given, as far as that is kept. */
  readonly lastUsedAt: Date | undefined
}

export interface ConsentDependencies {
  readonly storage: Storage
  readonly audit: Audit
  readonly issuer: string
  /** What clients hold of a person, first-party ones too, which nobody is asked about. */
  readonly accessOfUser: (userId: string) => Promise<readonly Access[]>
  /** Ends every grant of the user to the client and what came of it, in that transaction; false where there was none. */
  readonly endClientOfUser: (db: DatabaseTransaction, userId: string, clientId: string) => Promise<boolean>
  /** `undefined` for a client that is none or is gone. */
  readonly client: (clientId: string) => Promise<ClientFacts | undefined>
  readonly api: (indicator: string) => Promise<ApiFacts | undefined>
  /** `undefined` for a type of authorization details that is none, is gone or is disabled. */
  readonly detailType: (type: string) => Promise<DetailTypeFacts | undefined>
  /** By identifier, e-mail address or user name. Throws `users.not_found` (404). */
  readonly getUser: (key: string) => Promise<{ readonly id: string }>
}

export interface ClientFacts {
  readonly name: string
  readonly firstParty: boolean
  readonly logoUri?: string | undefined
  readonly clientUri?: string | undefined
  /** Where it begins a sign-in that somebody else asks for. */
  readonly initiateLoginUri?: string | undefined
}

export interface DetailTypeFacts {
  readonly title: string
  /** Exactly the same details need not be allowed anew. */
  readonly remember: boolean
}

export interface ApiFacts {
  readonly name: string
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
}

export const notConnected = (): AppError =>
  new AppError(
    'consents.not_found',
    404,
    'This application has no access; it may have been withdrawn meanwhile.',
  )

/** Of what was allowed, what is in `kept`; `openid` stays, as without it there is no sign-in. */
export const narrowed = (before: Consent, kept: Consent): Consent => ({
  scopes: before.scopes.filter((scope) => scope === 'openid' || kept.scopes.includes(scope)),
  claims: before.claims.filter((claim) => kept.claims.includes(claim)),
  resources: Object.fromEntries(
    Object.entries(before.resources)
      .map(([indicator, scopes]) => {
        const left = scopes.filter((scope) => kept.resources[indicator]?.includes(scope))
        return [indicator, left] as const
      })
      .filter(([, scopes]) => scopes.length > 0),
  ),
  // What was allowed in all its particulars is no part of what can be taken back by itself.
  ...(before.authorizationDetails && { authorizationDetails: before.authorizationDetails }),
})

const union = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])]

/** Of what a person has allowed a client in detail, the last so many are remembered. */
const detailsMaximum = 50

function mergedDetails(before: Consent, added: Consent): Pick<Consent, 'authorizationDetails'> {
  const all = [...(before.authorizationDetails ?? []), ...(added.authorizationDetails ?? [])]
  return all.length === 0 ? {} : { authorizationDetails: distinctDetails(all).slice(-detailsMaximum) }
}

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
    ...mergedDetails(before, added),
  }
}
