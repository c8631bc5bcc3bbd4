import type Koa from 'koa'
import type { Context, Middleware } from 'koa'
import { errors, Provider } from 'oidc-provider'
import type { RequestFacts } from '../kernel/http.ts'
import { areas } from './areas.ts'
import type { Payload } from './artefacts/payload.ts'
import { reportAskedAcr } from './assurance.ts'
import { openBackchannelRequests } from './backchannel/rows.ts'
import { directClientId, serverScopesOf } from './client-metadata.ts'
import { openDeviceCodes } from './device/codes.ts'
import { tellUnencryptable, withdrawn } from './encryption/index.ts'
import { eachOrUnavailable } from './errors.ts'
import { neverRevive } from './grants/known-grants.ts'
import type { InstanceInputs } from './inputs.ts'
import { tellInFrames } from './logout/frames.ts'
import { ownLogoutForm } from './logout/pages.ts'
import { options } from './options.ts'
import { isOwnRedirect } from './own-pages.ts'
import type { Ports } from './ports.ts'
import { useOf } from './sessions/facts.ts'
import type { SignIn } from './sessions/rows.ts'
import { openSessions, type SessionStore } from './sessions/sessions.ts'

export interface Instance {
  readonly provider: Provider
  readonly sessions: SessionStore
  /** Of what it was built from. */
  readonly revision: string | undefined
}

const current = {
  currentClientId: () => Provider.ctx?.oidc.client?.clientId,
  currentAddress: () => (Provider.ctx?.state.facts as RequestFacts | undefined)?.address,
}

/** Builds the library's provider, which takes under a millisecond; done anew whenever keys have changed. */
export async function buildInstance(received: InstanceInputs): Promise<Instance> {
  const inputs = {
    ...received,
    artefacts: eachOrUnavailable(received.artefacts),
    ports: available(received.ports),
  }
  const { issuer, ports, artefacts, middleware } = inputs
  // The ports themselves: with every operation made asynchronous, no revision would ever be the same.
  const revision = revisionOf(received.ports)
  const keyMaterial = await ports.keys.snapshot()
  const authorizationTypes = await ports.authorizationTypes.list()
  const sessions = eachOrUnavailable(sessionsOf(inputs))
  const adapter = {
    artefacts,
    sessions,
    clients: ports.clients,
    deviceCodes: openDeviceCodes(inputs),
    backchannelRequests: openBackchannelRequests(inputs),
    serverScopes: serverScopesOf(ports.accounts),
    detailTypes: new Set(authorizationTypes.map(({ type }) => type)),
    ...current,
  }
  const provider = new Provider(issuer, options({ ...inputs, adapter, keyMaterial, authorizationTypes }))
  // The host has replaced the forwarded headers by what it knows itself, so they can be believed here.
  provider.proxy = true
  provider.maxIpsCount = 1
  extendModels(provider, inputs, sessions)
  reportAskedAcr(provider)
  neverRevive(provider)
  listen(provider, inputs)
  provider.use(tellInFrames({ issuer, clients: ports.clients }, ports.pages))
  for (const layer of middleware) provider.use(layer)
  // Behind the host's layers, so that what goes wrong in them is answered as everywhere.
  for (const area of areas) area.extend?.(provider, inputs)
  provider.use(withdrawn(keyMaterial.withdrawn))
  provider.use(tellUnencryptable(ports.pages))
  provider.use(allowFormTargets)
  provider.use(ownLogoutForm(ports.pages))
  return { provider, sessions, revision }
}

const sessionsOf = (inputs: InstanceInputs): SessionStore =>
  openSessions({
    ...inputs,
    currentRequest: () => Provider.ctx,
    currentSignIn: () => signInOf(Provider.ctx, inputs.ports),
    currentUse: () => useOf(Provider.ctx, inputs.ports),
  })

/** The sign-in that the request at hand leads back from; back from consent the library has only repeated an earlier one. */
function signInOf(ctx: typeof Provider.ctx, { signIns }: Ports): SignIn | undefined {
  const { login, consent } = (ctx?.oidc.result ?? {}) as {
    login?: { accountId: string; attempt?: string }
    consent?: unknown
  }
  if (consent !== undefined) return undefined
  const { accountId: userId = '', attempt } = login ?? {}
  return attempt === undefined ? undefined : { userId, stands: (db) => signIns.stands(db, attempt, userId) }
}

/** Counts the changes of what the library is told once, when it is built; `undefined` while that cannot be known. */
export function revisionOf({ keys, authorizationTypes }: Ports): string | undefined {
  const [ofKeys, ofTypes] = [keys.revision(), authorizationTypes.revision()]
  return ofKeys === undefined || ofTypes === undefined ? undefined : `${ofKeys}.${ofTypes}`
}

/** Whatever the library asks while the database is away, its answer is 503 and not a server error. */
const available = (ports: Ports): Ports => ({
  ...ports,
  accounts: eachOrUnavailable(ports.accounts),
  clients: eachOrUnavailable(ports.clients),
  consents: eachOrUnavailable(ports.consents),
  apis: eachOrUnavailable(ports.apis),
  authorizationTypes: eachOrUnavailable(ports.authorizationTypes),
})

/**
 * The library's own pages are forms that lead to the application, at once (form_post) or by the redirects that follow
 * (a logout, a change of account), so the page's policy must let them (CSP3 §6.3.1); only addresses that were checked.
 */
const allowFormTargets: Middleware = async (ctx, next) => {
  await next()
  if (!ctx.response.is('html')) return
  const { params, entities, redirectUriCheckPerformed } = (ctx.oidc ?? {}) as {
    params?: Payload
    entities?: { Interaction?: { params?: Payload } }
    redirectUriCheckPerformed?: boolean
  }
  const targets = [
    redirectUriCheckPerformed === true && params?.redirect_uri,
    ctx.status === 200 && params?.post_logout_redirect_uri,
    entities?.Interaction?.params?.redirect_uri,
  ]
  ctx.state.formTargets = targets.filter((target) => typeof target === 'string')
}

/** How long an assertion or proof may be valid, and so must be remembered. */
const longestAssertionSeconds = 3_600

/** The library's documented models, made to do what a store alone cannot: single use, hashed secrets, one session row. */
function extendModels(
  provider: Provider,
  { issuer, ports, artefacts, clock }: InstanceInputs,
  sessions: SessionStore,
): void {
  const { Client, ReplayDetection, Session } = provider
  const { redirectUriAllowed } = Client.prototype
  Client.prototype.redirectUriAllowed = function allowed(uri) {
    return this.clientId === directClientId ? isOwnRedirect(uri, issuer) : redirectUriAllowed.call(this, uri)
  }
  Client.prototype.compareClientSecret = function compare(presented) {
    return ports.clients.verifySecret(this.clientId, presented)
  }
  // Every ID token names its session, so that a logout can tell whether the hint is this very session's.
  Client.prototype.includeSid = () => true
  ReplayDetection.unique = async (iss, jti, exp) => {
    const ttlSeconds = Math.max(1, (exp ?? 0) - Math.floor(clock.now().getTime() / 1000))
    if (ttlSeconds > longestAssertionSeconds)
      throw new errors.InvalidClientAuth('the assertion is valid for too long')
    return await artefacts.insertOnce('ReplayDetection', JSON.stringify([iss, jti]), ttlSeconds)
  }
  // The library builds a client anew, or hashes its metadata, at every request, and keeps a hundred. Our clients are
  // frozen objects that change when the database does, so what was built for one stays right as long as it is the same.
  const built = new WeakMap<object, InstanceType<typeof Client>>()
  const build = Client.find.bind(Client)
  Client.find = async (id) => {
    // What an unverified JWT names as its audience need not be text.
    if (typeof id !== 'string') return undefined
    const own = id === directClientId ? undefined : await ports.clients.find(id)
    const known = own === undefined ? undefined : built.get(own)
    if (known !== undefined) return known
    const client = await build(id)
    if (own !== undefined && client !== undefined) built.set(own, client)
    return client
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
