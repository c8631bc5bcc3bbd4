import type { Context } from 'koa'
import type { App } from './app.ts'
import { asksForCertificates } from './config/listen-address.ts'
import type { Claims } from './features/feature.ts'
import type { RequestFacts } from './kernel/http.ts'
import type { UserId } from './kernel/ids.ts'
import { personView } from './page-ports.ts'
import { openDeviceCookies } from './pages/device-cookie.ts'
import type { PageRenderers } from './pages/index.ts'
import type { Ports, ProviderEvents } from './provider/index.ts'

/** The provider's needs, met by the features and the pages. */
export function providerPorts(app: App, renderers: PageRenderers): Ports {
  const { features, log, config } = app
  const { users, consents, signingKeys } = features
  return {
    accounts: {
      find: async (id) => ((await users.users.mayIssue(id)) ? { id } : undefined),
      ...claimsOf(app),
    },
    signIns: features.attempts.attempts,
    ...partyPorts(app),
    consents: consents.consents,
    keys: signingKeys.keys,
    mutualTls: mutualTlsOf(config),
    registrations: registrationPorts(features.clientRegistrations),
    trustedIssuers: features.trustedIssuers.trustedIssuers,
    pages: renderers.provider({ view: personView(features) }),
    applicationLogouts: features.applicationLogouts.logouts,
    devices: devicePorts(app, renderers),
    backchannel: features.approvals.approvals,
    events: events(features.audit.audit, log),
    discovery: discoveryOf(app, renderers),
    deviceOf: openDeviceCookies(new URL(config.issuer)).read,
  }
}

/** Applications and services, and what they can have. */
function partyPorts({
  features: { clients, resources, authorizationTypes },
  clock,
}: App): Pick<Ports, 'clients' | 'apis' | 'profiles' | 'authorizationTypes'> {
  return {
    clients: {
      async find(id, address) {
        const client = await clients.clients.find(id, address)
        return client !== undefined && clients.clients.isActive(client) ? client : undefined
      },
      listFederated: async () => (await clients.clients.listFederated()).filter(clients.clients.isActive),
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
    profiles: {
      ...clients.profiles,
      async refused(id) {
        const client = await clients.clients.find(id)
        return client === undefined || clients.profiles.permits(client) ? undefined : client.profile
      },
    },
    authorizationTypes: {
      ...authorizationTypes.types,
      async faultOf(detail) {
        const type = await authorizationTypes.types.find(detail.type)
        return type === undefined
          ? 'is of no type that is registered'
          : authorizationTypes.faultOf(type, detail)
      },
    },
  }
}

const discoveryOf = ({ features }: App, { locales }: PageRenderers): Ports['discovery'] => ({
  ui_locales_supported: locales,
  // OpenID Connect Prompt Create 1.0 §4.1
  prompt_values_supported: [
    'none',
    'login',
    'consent',
    ...(features.registrations.registration.mode === 'closed' ? [] : ['create']),
  ],
})

const mutualTlsOf = (config: App['config']): Ports['mutualTls'] => ({
  offered: asksForCertificates(config),
  origin: config.mtls.url && new URL(config.mtls.url).origin,
})

/** Of clients that come by themselves: what is on, and what to ask. */
const registrationPorts = ({
  offers,
  registrations,
}: App['features']['clientRegistrations']): Ports['registrations'] => ({ offers, ...registrations })

/** What the features together say of a person. */
function claimsOf({ all }: App): Pick<Ports['accounts'], 'claims' | 'scopes'> {
  const sockets = all.flatMap(({ claims }) => claims ?? [])
  return {
    async claims(userId, scopes) {
      const request = { userId: userId as UserId, scopes }
      return Object.assign({}, ...(await Promise.all(sockets.map((socket) => socket.claims(request)))))
    },
    scopes: claimsByScope(sockets),
  }
}

/** Several features may add to a scope. */
function claimsByScope(sockets: readonly Claims[]): Ports['accounts']['scopes'] {
  const all = sockets.flatMap(({ scopes }) => Object.entries(scopes))
  return Object.fromEntries(
    all.map(([scope]) => [scope, all.flatMap(([of, claims]) => (of === scope ? claims : []))]),
  )
}

/** Guesses are counted by address, and of an address by who is signed in. */
const devicePorts = ({ features }: App, { devices }: PageRenderers): Ports['devices'] => ({
  ...devices,
  admit: (ctx, userId = '') =>
    features.throttle.throttle.admit({
      account: userId,
      address: factsOf(ctx).address,
      asking: 'device-code',
    }),
  answered: (ctx, { approved, userId, clientId, device }) =>
    features.audit.audit.record({
      action: approved ? 'devices.approved' : 'devices.denied',
      outcome: approved ? 'success' : 'failure',
      request: factsOf(ctx),
      ...(userId !== undefined && { userId, actor: { kind: 'user', userId } }),
      ...(clientId !== undefined && { clientId }),
      ...(device !== undefined && {
        detail: { deviceAddress: device.address, deviceProgram: device.userAgent },
      }),
    }),
})

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
