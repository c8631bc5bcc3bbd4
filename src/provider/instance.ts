import type Koa from 'koa'
import type { Context, Middleware } from 'koa'
import { Provider } from 'oidc-provider'
import type { Payload } from './artefacts.ts'
import { openOutbound, type OutboundFetch } from './outbound.ts'
import { options } from './options.ts'
import type { ProviderDependencies } from './ports.ts'
import { openSessions, type SessionStore } from './sessions.ts'

export interface Instance {
  readonly provider: Provider
  readonly sessions: SessionStore
  /** The key revision it was built from. */
  readonly revision: number | undefined
}

export interface InstanceInputs extends ProviderDependencies {
  readonly outbound: OutboundFetch
  readonly middleware: readonly Middleware[]
}

export const outboundOf = ({ settings }: ProviderDependencies): OutboundFetch =>
  openOutbound({ allowPrivate: settings.outboundAllowPrivate, allowHosts: settings.outboundAllowHosts })

/** Builds the library's provider, which takes under a millisecond; done anew whenever keys have changed. */
export async function buildInstance(inputs: InstanceInputs): Promise<Instance> {
  const { issuer, ports, artefacts, outbound, middleware } = inputs
  const revision = ports.keys.revision()
  const keyMaterial = await ports.keys.snapshot()
  const sessions = openSessions({ ...inputs, currentRequest: () => Provider.ctx })
  const serverScopes = new Set(['openid', 'offline_access', ...Object.keys(ports.accounts.scopes)])
  const adapter = { artefacts, sessions, clients: ports.clients, serverScopes }
  const provider = new Provider(issuer, options({ ...inputs, adapter, keyMaterial, outbound }))
  // The host has replaced the forwarded headers by what it knows itself, so they can be believed here.
  provider.proxy = true
  provider.maxIpsCount = 1
  extendModels(provider, inputs, sessions)
  listen(provider, inputs)
  for (const layer of middleware) provider.use(layer)
  provider.use(allowFormTargets)
  return { provider, sessions, revision }
}

/**
 * The library's own pages are forms that lead to the application, at once (form_post) or by the redirects that follow
 * (a logout, a change of account), so the page's policy must let them (CSP3 §6.3.1).
 */
const allowFormTargets: Middleware = async (ctx, next) => {
  await next()
  if (!ctx.response.is('html')) return
  const { params, entities } = (ctx.oidc ?? {}) as {
    params?: Payload
    entities?: { Interaction?: { params?: Payload } }
  }
  const targets = [
    params?.redirect_uri,
    params?.post_logout_redirect_uri,
    entities?.Interaction?.params?.redirect_uri,
  ]
  ctx.state.formTargets = targets.filter((target) => typeof target === 'string')
}

/** The library's documented models, made to do what a store alone cannot: single use, hashed secrets, one session row. */
function extendModels(
  provider: Provider,
  { ports, artefacts, clock }: InstanceInputs,
  sessions: SessionStore,
): void {
  const { Client, ReplayDetection, Session } = provider
  Client.prototype.compareClientSecret = function compare(presented) {
    return ports.clients.verifySecret(this.clientId, presented)
  }
  // Every ID token names its session, so that a logout can tell whether the hint is this very session's.
  Client.prototype.includeSid = () => true
  ReplayDetection.unique = async (iss, jti, exp) => {
    const ttlSeconds = Math.max(1, (exp ?? 0) - Math.floor(clock.now().getTime() / 1000))
    return await artefacts.insertOnce('ReplayDetection', JSON.stringify([iss, jti]), ttlSeconds)
  }
  const { destroy } = Session.prototype
  Session.prototype.destroy = async function end() {
    await sessions.end(this.uid)
    await destroy.call(this)
  }
}

function listen(provider: Provider, { ports: { events } }: InstanceInputs): void {
  const grantTypeOf = (ctx: Context): string =>
    String((ctx.oidc?.params as Record<string, unknown> | undefined)?.grant_type ?? '')
  provider.on('grant.success', (ctx) => {
    const { client, entities } = ctx.oidc
    events.tokensIssued(ctx, {
      grantType: grantTypeOf(ctx),
      clientId: client?.clientId,
      userId: entities.Account?.accountId,
    })
  })
  provider.on('grant.error', (ctx, error) => {
    const { error: code, error_detail: detail } = error as { error?: string; error_detail?: string }
    events.tokenRefused(ctx, { error: code ?? 'server_error', detail, clientId: ctx.oidc.client?.clientId })
  })
  provider.on('end_session.success', (ctx) => {
    events.loggedOut(ctx, { userId: ctx.oidc.session?.accountId, clientId: ctx.oidc.client?.clientId })
  })
  provider.on('grant.revoked', (ctx) => events.grantRevoked(ctx, { clientId: ctx.oidc.client?.clientId }))
  provider.on('server_error', (ctx: Context, error: unknown) => events.failed(ctx, error))
  const koa: Koa = provider
  koa.on('error', (error: unknown) => events.failed(undefined, error))
}
