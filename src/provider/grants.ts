import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import { type AuthorizationDetail, detailsAmong, distinctDetails } from '../kernel/authorization-details.ts'
import { askedDetails } from './asked-details.ts'
import type { Consents, RememberedConsent } from './ports.ts'

/**
 * Finds the grant of this session and client, or makes one from what the person has allowed before (or need not be asked
 * for). Each session has a grant of its own, so that signing out of one device leaves the others alone.
 */
export async function loadGrant(ctx: KoaContextWithOIDC, consents: Consents): Promise<Grant | undefined> {
  const { client, session, account, result, provider } = ctx.oidc
  if (client === undefined || session === undefined || account === undefined) return undefined
  const grantId = result?.consent?.grantId ?? session.grantIdFor(client.clientId)
  const existing = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  if (existing !== undefined && existing.accountId !== account.accountId) return undefined
  const asked = requested(ctx)
  const whose = { userId: account.accountId, clientId: client.clientId, asked }
  const allowed =
    client.first_party === true ? await known(consents, whose) : await remembered(consents, whose)
  if (allowed === undefined) return existing
  const grant = existing ?? new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
  if (existing === undefined || !covers(grant, allowed)) {
    extend(grant, allowed)
    await grant.save()
    // Withdrawn at this very moment: what it was made of is gone, so it must not stay.
    if (client.first_party !== true && !(await consents.stands(account.accountId, client.clientId))) {
      await grant.destroy()
      return undefined
    }
  }
  return grant
}

/** What this authorization request asks for. */
export function requested(ctx: KoaContextWithOIDC): RememberedConsent {
  const { oidc } = ctx
  const details = askedDetails(ctx)
  const resources = Object.entries(oidc.resourceServers ?? {}).map(([indicator, server]) => {
    const scopes = [...oidc.requestParamScopes].filter((scope) => server.scopes.has(scope))
    return [indicator, scopes] as const
  })
  return {
    scopes: [...oidc.requestParamOIDCScopes],
    claims: [...oidc.requestParamClaims],
    resources: Object.fromEntries(resources.filter(([, scopes]) => scopes.length > 0)),
    ...(details.length > 0 && { authorizationDetails: details }),
  }
}

interface Asked {
  readonly userId: string
  readonly clientId: string
  readonly asked: RememberedConsent
}

/** Nobody is asked about an application of the operator's own, but for what it wants in detail (RFC 9396). */
async function known(consents: Consents, { userId, clientId, asked }: Asked): Promise<RememberedConsent> {
  const { authorizationDetails: wanted, ...rest } = asked
  if (wanted === undefined) return asked
  const { authorizationDetails: before = [] } = (await consents.find(userId, clientId)) ?? {}
  return { ...rest, authorizationDetails: detailsAmong(wanted, before) }
}

/** Of what is asked, the part that was allowed before; `undefined` when that is nothing. */
async function remembered(
  consents: Consents,
  { userId, clientId, asked }: Asked,
): Promise<RememberedConsent | undefined> {
  const given = await consents.find(userId, clientId)
  if (given === undefined) return undefined
  const resources = Object.entries(asked.resources).map(([indicator, scopes]) => {
    const before = given.resources[indicator] ?? []
    return [indicator, scopes.filter((scope) => before.includes(scope))] as const
  })
  return {
    scopes: asked.scopes.filter((scope) => given.scopes.includes(scope)),
    claims: asked.claims.filter((claim) => given.claims.includes(claim)),
    resources: Object.fromEntries(resources.filter(([, scopes]) => scopes.length > 0)),
    authorizationDetails: detailsAmong(asked.authorizationDetails ?? [], given.authorizationDetails ?? []),
  }
}

/** What a grant holds in detail (RFC 9396); the last so many, as each request names those it is about. */
const detailsMaximum = 20
const detailsOf = (grant: Grant): readonly AuthorizationDetail[] =>
  (grant as { rar?: readonly AuthorizationDetail[] }).rar ?? []

function covers(
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
