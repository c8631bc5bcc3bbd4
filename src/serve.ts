/** The server: the host's layers, the pages and the protocol over an open app, listening. */
import type { Context, Middleware } from 'koa'
import type { App } from './app.ts'
import { addressKey } from './features/throttle/index.ts'
import { accessLog } from './host/access-log.ts'
import { trustedProxies } from './host/address.ts'
import { errorRenderer } from './host/errors.ts'
import { hostCheck, requestFacts, wellFormed } from './host/gate.ts'
import { securityHeaders } from './host/headers.ts'
import { health } from './host/health.ts'
import { type JobRunner, runJobs } from './host/jobs.ts'
import { credentialLimit } from './host/limits.ts'
import { listen } from './host/server.ts'
import type { RequestFacts } from './kernel/http.ts'
import type { UserId } from './kernel/ids.ts'
import { openRenderers, openViews, type PagePorts, type PageRenderers, pageRoutes } from './pages/index.ts'
import { openProvider, type Ports, type ProviderEvents, type ProviderHandle } from './provider/index.ts'
import { unavailable } from './storage/errors.ts'
import { openLeases } from './storage/leases.ts'

export interface Server {
  readonly port: number
  /** Stops accepting, lets what is under way finish, stops the jobs. The app stays open. */
  stop(): Promise<void>
}

export interface ServeOptions {
  readonly sampleUrl?: string | undefined
}

export async function serve(app: App, { sampleUrl }: ServeOptions = {}): Promise<Server> {
  const { config, log, clock, storage, sealing } = app
  const issuer = new URL(config.issuer)
  const { brandName, brandAccent, brandLogoUrl } = config.server
  const brand = {
    name: brandName,
    ...(brandAccent && { accent: brandAccent }),
    ...(brandLogoUrl && { logoUrl: brandLogoUrl }),
  }
  const renderers = openRenderers({ views: openViews(brand), issuer, csrfKey: sealing.derive('csrf') })
  const provider = openProvider({
    ...app,
    issuer: config.issuer,
    settings: config.provider,
    ports: providerPorts(app, renderers),
  })
  const pages = pagePorts(app, { provider, issuer, sampleUrl, views: openViews(brand) })
  let draining = false
  const gate = { issuer, isTrusted: trustedProxies(config.host.trustedProxies) }

  // The one ordered table of what every request passes, first to last; the protocol stands behind it.
  const layers: readonly Middleware[] = [
    requestFacts(gate),
    accessLog(log),
    securityHeaders(issuer),
    errorRenderer({ log, unavailable, page: renderers.error }),
    hostCheck(gate),
    health({ ping: storage.ping, draining: () => draining }),
    wellFormed,
    credentialLimit({ failuresPerMinute: config.host.failuresPerMinute, keyOf: addressKey }),
    pageRoutes(pages, renderers),
  ]
  const listening = await listen(await provider.start(layers), {
    port: config.server.port,
    address: listenAddress(app),
  })
  const jobs: JobRunner = runJobs([...app.all.flatMap((feature) => feature.jobs ?? []), ...provider.jobs], {
    leases: openLeases(storage, clock),
    log,
  })

  return {
    port: listening.port,
    async stop() {
      draining = true
      await Promise.all([listening.drain(config.host.shutdownSeconds), jobs.stop()])
    },
  }
}

/** In development mode nobody but this machine is served. */
const listenAddress = ({ config: { development, server } }: App): string =>
  development && server.listenAddress === '::' ? 'localhost' : server.listenAddress

function providerPorts({ features, clock, log }: App, renderers: PageRenderers): Ports {
  const { users, clients, resources, consents, signingKeys } = features
  return {
    accounts: {
      find: async (id) => ((await users.users.mayIssue(id)) ? { id } : undefined),
      claims: (userId, scopes, clientId) =>
        users.claims.claims({ userId: userId as UserId, scopes, clientId }),
      scopes: users.claims.scopes,
    },
    clients: {
      async find(id) {
        const client = await clients.clients.find(id)
        return client !== undefined && clients.clients.isActive(client) ? client : undefined
      },
      async verifySecret(id, presented) {
        const client = await clients.clients.find(id)
        return client !== undefined && clients.clients.verifySecret(client, presented, clock.now())
      },
    },
    apis: {
      async find(indicator) {
        const api = await resources.resources.findByIndicator(indicator)
        return api !== undefined && resources.resources.isActive(api) ? api : undefined
      },
    },
    consents: consents.consents,
    keys: signingKeys.keys,
    pages: renderers.provider({ view: personView(features) }),
    events: events(features.audit.audit, log),
  }
}

const factsOf = (ctx: Context): RequestFacts => ctx.state.facts as RequestFacts

function events(audit: App['features']['audit']['audit'], log: App['log']): ProviderEvents {
  return {
    // Thousands a second: they are audited in the request's own log line.
    tokensIssued(ctx, event) {
      ctx.state.event = { action: 'tokens.issued', ...event }
    },
    tokenRefused(ctx, event) {
      ctx.state.event = { action: 'tokens.refused', ...event }
    },
    loggedOut: (ctx, { userId, clientId }) =>
      void audit.record({
        action: 'login.signed_out',
        outcome: 'success',
        request: factsOf(ctx),
        clientId,
        userId,
      }),
    grantRevoked: (ctx, { clientId }) =>
      void audit.record({ action: 'grants.revoked', outcome: 'success', request: factsOf(ctx), clientId }),
    failed: (ctx, error) =>
      log.error(
        { err: error, requestId: ctx?.state.facts?.requestId, path: ctx?.path },
        'a protocol request failed',
      ),
  }
}

function personView({ users }: App['features']): PagePorts['people']['view'] {
  return async (userId) => {
    const user = await users.users.find(userId)
    if (!users.users.isActive(user)) return undefined
    const { name, email, username, administrator } = user
    return { administrator, ...(name && { name }), ...(email && { email }), ...(username && { username }) }
  }
}

interface PageInputs {
  readonly provider: ProviderHandle
  readonly issuer: URL
  readonly sampleUrl: string | undefined
  readonly views: PagePorts['views']
}

function pagePorts(
  { features, config, clock, sealing }: App,
  { provider, issuer, sampleUrl, views }: PageInputs,
): PagePorts {
  const { clients, resources, consents, passwords, setup, audit } = features
  return {
    issuer,
    views,
    clock,
    csrfKey: sealing.derive('csrf'),
    interactions: provider.interactions,
    signIn: provider,
    people: { view: personView(features) },
    clients: {
      async view(id) {
        const client = await clients.clients.find(id)
        if (client === undefined) return undefined
        const { name, logoUri, clientUri, policyUri, tosUri } = client
        return {
          name,
          ...(logoUri && { logoUri }),
          ...(clientUri && { clientUri }),
          ...(policyUri && { policyUri }),
          ...(tosUri && { tosUri }),
        }
      },
    },
    apis: { view: resources.resources.findByIndicator },
    consents: consents.consents,
    factors: [passwords.factor],
    setup: {
      isNeeded: setup.setup.isNeeded,
      linkState: setup.setup.linkState,
      complete: async (form, request) => void (await setup.setup.complete(form, request)),
    },
    passwords: {
      minimumLength: passwords.passwords.minimumLength,
      async readLink(token) {
        const user = await passwords.passwords.readLink(token)
        return user === undefined
          ? undefined
          : {
              ...(user.name && { name: user.name }),
              ...(user.email && { email: user.email }),
              ...(user.username && { username: user.username }),
            }
      },
      chooseByLink: async (token, password, request) =>
        void (await passwords.passwords.chooseByLink({ token, password, request })),
    },
    record: audit.audit.record,
    sampleUrl,
    refreshLifetimeSeconds: config.provider.refreshTokenMaximumSeconds,
  }
}
