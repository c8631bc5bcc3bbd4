import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import { detailsAmong } from '../../kernel/authorization-details.ts'
import { askedDetails } from '../authorization-details/asked.ts'
import type { Consents, RememberedConsent } from '../ports.ts'
import { covers } from './contents.ts'
import { grantOf } from './known-grants.ts'

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
    client.first_party === true ? await known(consents, whose) : await remembered(whose, consents.find)
  if (allowed === undefined || (existing !== undefined && covers(existing, allowed))) return existing
  const owner = { accountId: account.accountId, clientId: client.clientId }
  const grant = await grantOf(provider, owner, { existing, allowed })
  if (client.first_party === true) return grant
  // Withdrawn or narrowed at this very moment: what the grant was made of is gone, so it must not stay.
  const now = await remembered(whose, consents.settled)
  if (now !== undefined && isWithin(allowed, now)) return grant
  await grant.destroy()
  return undefined
}

/** Whether nothing is in the first that is not in the second. */
function isWithin(first: RememberedConsent, second: RememberedConsent): boolean {
  const among = (some: readonly string[], all: readonly string[] = []): boolean =>
    some.every((each) => all.includes(each))
  return (
    among(first.scopes, second.scopes) &&
    among(first.claims, second.claims) &&
    detailsAmong(first.authorizationDetails ?? [], second.authorizationDetails ?? []).length ===
      (first.authorizationDetails ?? []).length &&
    Object.entries(first.resources).every(([indicator, scopes]) => among(scopes, second.resources[indicator]))
  )
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
  { userId, clientId, asked }: Asked,
  read: Consents['find'],
): Promise<RememberedConsent | undefined> {
  const given = await read(userId, clientId)
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
