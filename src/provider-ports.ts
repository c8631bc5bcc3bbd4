import type { Context } from 'koa'
import type { App } from './app.ts'
import type { RequestFacts } from './kernel/http.ts'
import type { UserId } from './kernel/ids.ts'
import { personView } from './page-ports.ts'
import type { PageRenderers } from './pages/index.ts'
import type { Ports, ProviderEvents } from './provider/index.ts'

/** The provider's needs, met by the features and the pages. */
export function providerPorts(app: App, renderers: PageRenderers): Ports {
  const { features, clock, log } = app
  const { users, clients, resources, consents, signingKeys } = features
  return {
    accounts: {
      find: async (id) => ((await users.users.mayIssue(id)) ? { id } : undefined),
      ...claimsOf(app),
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

/** What the features together say of a person. */
function claimsOf({ all }: App): Pick<Ports['accounts'], 'claims' | 'scopes'> {
  const sockets = all.flatMap(({ claims }) => claims ?? [])
  return {
    async claims(userId, scopes) {
      const request = { userId: userId as UserId, scopes }
      return Object.assign({}, ...(await Promise.all(sockets.map((socket) => socket.claims(request)))))
    },
    scopes: Object.assign({}, ...sockets.map((socket) => socket.scopes)),
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
