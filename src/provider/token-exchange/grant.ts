import type Provider from 'oidc-provider'
import type { AccessToken, ResourceServerInstance } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { InstanceInputs } from '../inputs.ts'
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  checkMtlsCert,
  findAccount,
  resolveRequestedResources,
  validateDpop,
} from '../seam.ts'
import { type Actor, actClaim, checkMayAct, maximumDepth } from './actor.ts'
import type { Origin } from './origin.ts'
import type { ExchangePolicy } from './ports.ts'
import {
  type ExchangeContext,
  type ExchangeRequest,
  readRequest,
  tokenExchangeGrant,
  tokenTypes,
} from './request.ts'
import { type Bearer, type BearerDependencies, readBearer, TokenRefused } from './subject.ts'

export interface ExchangeDependencies extends BearerDependencies {
  readonly provider: Provider
  readonly inputs: InstanceInputs
}

interface Exchange {
  readonly ctx: ExchangeContext
  readonly request: ExchangeRequest
  readonly policy: ExchangePolicy
  readonly subject: Bearer & { readonly accountId: string }
  readonly actor: Actor | undefined
  readonly server: ResourceServerInstance & { readonly accessTokenFormat?: string }
  readonly scope: string
}

type DPoP = Awaited<ReturnType<typeof validateDpop>>

/** RFC 8693. What comes out is never more than what was brought: in scope, in time, and in who may use it. */
export const exchangeGrant =
  (dependencies: ExchangeDependencies) =>
  async (ctx: ExchangeContext): Promise<void> => {
    const policy = await policyOf(ctx, dependencies)
    const request = readRequest(ctx)
    const dPoP = await validateDpop(dependencies.provider, ctx)
    const subject = await orRefuse('subject', () =>
      takeSubject(ctx, request, { policy, dPoP, ...dependencies }),
    )
    const actor = await orRefuse(request.actor === undefined ? 'subject' : 'actor', () =>
      decideActor(ctx, request, { policy, subject, dPoP, ...dependencies }),
    )
    const server = await target(ctx, { request, policy, subject, ...dependencies })
    const scope = await narrowed(ctx, subject, server)
    await issue({ ctx, request, policy, subject, actor, server, scope }, { dPoP, ...dependencies })
  }

async function policyOf(
  { oidc: { client } }: ExchangeContext,
  { inputs }: ExchangeDependencies,
): Promise<ExchangePolicy> {
  const { tokenExchange } = (await inputs.ports.clients.find(client.clientId)) ?? {}
  // Whoever cannot prove who it is takes no tokens of others.
  if (tokenExchange === undefined || client.clientAuthMethod === 'none') throw new errors.UnauthorizedClient()
  return tokenExchange
}

/** RFC 8693 §2.2.2: a token that is invalid, or not acceptable by policy, is an invalid request; why is for the log. */
async function orRefuse<T>(who: 'subject' | 'actor', work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error
    const text = `the ${who}_token is not valid, or this client may not exchange it`
    throw new errors.InvalidRequest(text, undefined, { detail: error.message })
  }
}

type Taking = ExchangeDependencies & { readonly policy: ExchangePolicy; readonly dPoP: DPoP }

async function takeSubject(
  ctx: ExchangeContext,
  { subject: brought }: ExchangeRequest,
  { policy, dPoP, ...dependencies }: Taking,
): Promise<Exchange['subject']> {
  const { client } = ctx.oidc
  const subject = await readBearer(brought, client, dependencies)
  const { accountId, clientId, issuer, audience, hops } = subject
  if (accountId === undefined) throw new TokenRefused('it is about no person')
  const isOwn = clientId === client.clientId
  if (clientId !== undefined && !isOwn && !policy.subjectClients.includes(clientId))
    throw new TokenRefused(`the client may not take tokens of ${clientId}`)
  if (issuer !== undefined && !policy.subjectIssuers.includes(issuer))
    throw new TokenRefused(`the client may not take tokens of ${issuer}`)
  if (audience !== undefined && policy.subjectAudiences?.includes(audience) === false)
    throw new TokenRefused(`the client may not take tokens for ${audience}`)
  if (hops >= maximumDepth) throw new TokenRefused('it was exchanged too often')
  checkHolder(ctx, subject, { dPoP, ...dependencies })
  const account = await findAccount(dependencies.provider, ctx, accountId)
  if (account === undefined) throw new TokenRefused('the person may not be served')
  ctx.oidc.entity('Account', account)
  return { ...subject, accountId }
}

/** A token that is bound to a key is brought by whoever has the key (RFC 9449 §5, RFC 8705 §3). */
function checkHolder(
  ctx: ExchangeContext,
  { jkt, certificate }: Bearer,
  { provider, dPoP }: { readonly provider: Provider; readonly dPoP: DPoP },
): void {
  if (jkt !== undefined && jkt !== dPoP?.thumbprint) throw new TokenRefused('it is bound to another key')
  if (certificate !== undefined && certificate !== thumbprintOf(ctx, provider))
    throw new TokenRefused('it is bound to another certificate')
}

function thumbprintOf(ctx: ExchangeContext, provider: Provider): string | undefined {
  const presented = checkMtlsCert(provider, ctx)
  if (!presented) return undefined
  const probe = new provider.ClientCredentials({ client: ctx.oidc.client, scope: '' })
  probe.setThumbprint('x5t', presented)
  return probe['x5t#S256']
}

/** Who acts, where somebody does: without an actor token the client itself, unless it may speak as the person. */
async function decideActor(
  ctx: ExchangeContext,
  { actor: brought }: ExchangeRequest,
  { policy, subject, dPoP, ...dependencies }: Taking & { readonly subject: Bearer },
): Promise<Actor | undefined> {
  const { client, issuer } = ctx.oidc
  const itself = { sub: client.clientId, client_id: client.clientId }
  if (brought === undefined) {
    checkMayAct(subject, itself, issuer)
    return policy.modes.includes('impersonate') ? undefined : itself
  }
  if (!policy.modes.includes('delegate')) throw new TokenRefused('the client may not act for somebody')
  const bearer = await readBearer(brought, client, dependencies)
  if (bearer.clientId !== client.clientId) throw new TokenRefused('it was given to another client')
  checkHolder(ctx, bearer, { dPoP, ...dependencies })
  const { accountId } = bearer
  if (accountId !== undefined && (await findAccount(dependencies.provider, ctx, accountId)) === undefined)
    throw new TokenRefused('the person may not be served')
  const actor = { sub: accountId ?? client.clientId, client_id: client.clientId }
  checkMayAct(subject, actor, issuer)
  return actor
}

/** The API that the token is for: what is asked for, else what the subject token is for. */
async function target(
  ctx: ExchangeContext,
  {
    request,
    policy,
    subject,
    provider,
  }: Pick<Exchange, 'request' | 'policy' | 'subject'> & { provider: Provider },
): Promise<Exchange['server']> {
  const indicator = request.target ?? subject.audience
  if (indicator === undefined)
    throw new errors.InvalidTarget('name the API that the token is for: resource or audience')
  if (!policy.audiences.includes(indicator))
    throw new errors.InvalidTarget('the client may not exchange tokens for this API')
  ctx.oidc.params.resource = indicator
  await resolveRequestedResources(provider, ctx)
  const server: Exchange['server'] | undefined = ctx.oidc.resourceServers[indicator]
  if (server === undefined) throw new errors.InvalidTarget()
  if (request.issuedType === tokenTypes.jwt && server.accessTokenFormat !== 'jwt')
    throw new errors.InvalidRequest('access tokens for this API are no JWTs')
  return server
}

/** At most what the subject token, the client and the API have in common. */
async function narrowed(ctx: ExchangeContext, subject: Bearer, server: Exchange['server']): Promise<string> {
  const held = await subject.scopesAt(server.identifier())
  const allowed = [...server.scopes].filter((scope) => held === undefined || held.has(scope))
  const { scope } = ctx.oidc.params
  const asked = scope === undefined ? allowed : [...new Set(scope.split(' '))]
  const refused = asked.filter((each) => !allowed.includes(each))
  if (refused.length > 0)
    throw new errors.InvalidScope('the subject_token does not cover the scope', refused.join(' '))
  if (asked.length === 0)
    throw new errors.InvalidScope('the subject_token covers no scope of this API', scope ?? '')
  return asked.join(' ')
}

async function issue(
  exchange: Exchange,
  { provider, inputs, dPoP }: ExchangeDependencies & { readonly dPoP: DPoP },
): Promise<void> {
  const { ctx, request, subject, scope } = exchange
  const token = await tokenOf(exchange, provider)
  const leftSeconds = subject.expiresAt - Math.floor(inputs.clock.now().getTime() / 1000)
  if (leftSeconds <= 0) throw new errors.InvalidRequest('the subject_token has expired')
  // The library keeps the lifetime that it was given, or has worked out once, in this member.
  Object.assign(token, { expiresIn: Math.min(token.expiration, leftSeconds) })
  await bind(ctx, token, { provider, dPoP })
  ctx.oidc.entity('AccessToken', token)
  const accessToken = await token.save()
  ctx.body = buildTokenResponse(provider, {
    accessToken,
    expiresIn: token.expiration,
    issuedTokenType: request.issuedType,
    scope,
    tokenType: token.tokenType,
  })
}

async function tokenOf(
  { ctx, subject, actor, server, scope }: Exchange,
  provider: Provider,
): Promise<AccessToken> {
  const { grantId, sessionUid, hops, act, mayAct, accountId } = subject
  const origin = await orRefuse('subject', async () => ({
    grantId,
    sessionUid,
    hops: hops + 1,
    act: actor === undefined ? act : actClaim(subject, actor),
    mayAct,
  }))
  const token = new provider.AccessToken({
    accountId,
    client: ctx.oidc.client,
    gty: tokenExchangeGrant,
    scope,
    // The grant is that of the subject token's client, which the library would miss; see `Origin`.
    grantId: undefined as unknown as string,
    origin: origin satisfies Origin,
  })
  token.resourceServer = server
  return token
}

/** To the key or certificate of whoever brings the subject token; one that was bound stays bound. */
async function bind(
  ctx: ExchangeContext,
  token: AccessToken,
  { provider, dPoP }: { readonly provider: Provider; readonly dPoP: DPoP },
): Promise<void> {
  const certificate = checkMtlsCert(provider, ctx)
  if (certificate) token.setThumbprint('x5t', certificate)
  if (dPoP) {
    await checkDpopReplay(provider, ctx, dPoP, ctx.oidc.client.clientId)
    token.setThumbprint('jkt', dPoP.thumbprint)
  }
  checkDpopRequired(provider, ctx, dPoP)
}
