import type Provider from 'oidc-provider'
import type { ClientCredentials, TokenEndpointGrantContext } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Ports, ProviderClient } from '../ports.ts'
import {
  applyAuthorizationDetails,
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  checkMtlsCert,
  resolveRequestedResources,
  validateClientScope,
  validateDpop,
} from '../seam.ts'
import type { Federation } from './federation.ts'
import { type Assertion, isMatch } from './match.ts'
import { AssertionRefused, type Verifier } from './verify.ts'

type Ctx = TokenEndpointGrantContext<{ readonly assertion?: string }>

export interface GrantDependencies {
  readonly ports: Pick<Ports, 'clients'>
  readonly verifier: Verifier
  readonly federation: Federation
}

/** RFC 7523 §2.1: an assertion of a trusted issuer gives the client that it is matched to an access token of its own. */
export const assertionGrant =
  (provider: Provider, dependencies: GrantDependencies) =>
  async (ctx: Ctx): Promise<void> => {
    const client = await dependencies.ports.clients.find(ctx.oidc.client.clientId)
    if (client === undefined || ctx.oidc.client.clientAuthMethod === 'none')
      throw new errors.UnauthorizedClient()
    await prove(ctx, client, dependencies)
    await issue(provider, ctx)
  }

/** Throws `invalid_grant`; why is for the log alone. */
async function prove(
  ctx: Ctx,
  client: ProviderClient,
  { verifier, federation }: GrantDependencies,
): Promise<Assertion> {
  const { assertion: text } = ctx.oidc.params
  if (!text) throw new errors.InvalidRequest('missing required parameter(s) assertion')
  try {
    const assertion = await verifier.verify(text)
    if (client.federatedCredentials?.some((credential) => isMatch(credential, assertion)) !== true)
      throw new AssertionRefused('the assertion is not one of those that the client has named')
    if (!federation.hasUsed(ctx, text)) await verifier.use(assertion)
    return assertion
  } catch (error) {
    if (error instanceof AssertionRefused) throw new errors.InvalidGrant(error.message)
    throw error
  }
}

/** As for client credentials: a token of the client itself, never of a person. */
async function issue(provider: Provider, ctx: Ctx): Promise<void> {
  const dPoP = await validateDpop(provider, ctx)
  const token = new provider.ClientCredentials({ client: ctx.oidc.client, scope: '' })
  await narrow(provider, ctx, token)
  const certificate = checkMtlsCert(provider, ctx)
  if (certificate) token.setThumbprint('x5t', certificate)
  if (dPoP) {
    await checkDpopReplay(provider, ctx, dPoP, ctx.oidc.client.clientId)
    token.setThumbprint('jkt', dPoP.thumbprint)
  }
  checkDpopRequired(provider, ctx, dPoP)
  await applyAuthorizationDetails(provider, ctx, token)
  ctx.oidc.entity('ClientCredentials', token)
  const accessToken = await token.save()
  ctx.body = buildTokenResponse(provider, {
    accessToken,
    authorizationDetails: token.rar,
    expiresIn: token.expiration,
    scope: token.scope || undefined,
    tokenType: token.tokenType,
  })
}

async function narrow(provider: Provider, ctx: Ctx, token: ClientCredentials): Promise<void> {
  const [server, ...more] = await resolveRequestedResources(provider, ctx)
  if (more.length > 0) throw new errors.InvalidTarget('only a single resource indicator value is supported')
  const scopes = [...validateClientScope(provider, ctx)]
  if (server !== undefined) token.resourceServer = server
  const allowed = server === undefined ? scopes : scopes.filter((scope) => server.scopes.has(scope))
  token.scope = allowed.join(' ') || undefined
}
