import type { Configuration, ResourceServer } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Area } from './area.ts'
import type { Api, Ports } from './ports.ts'

/** The APIs that tokens are for (RFC 8707), and what they may ask about them (RFC 7662). */
export const resourceServers: Area = {
  options: ({ ports }) => ({ features: features(ports) }),
}

function features(ports: Ports): Configuration['features'] {
  return {
    introspection: {
      enabled: true,
      async allowedPolicy(_ctx, client, token) {
        // RFC 7662 §2.1: who cannot prove who it is learns nothing.
        if (client.clientAuthMethod === 'none') return false
        const { accountId } = token as { accountId?: string }
        if (accountId !== undefined && (await ports.accounts.find(accountId)) === undefined) return false
        if (token.clientId === client.clientId) return true
        const audience = 'aud' in token && typeof token.aud === 'string' ? token.aud : undefined
        const api = audience === undefined ? undefined : await ports.apis.find(audience)
        return api?.introspectors?.includes(client.clientId) ?? false
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => undefined as unknown as string, // none: a token without an audience is for userinfo
      // Without `openid` there is no userinfo to call, so the token is for the API that was asked for.
      useGrantedResource: async (_ctx, model) => !model.scopes.has('openid'),
      async getResourceServerInfo(_ctx, indicator, client) {
        const [api, allowed] = await Promise.all([
          ports.apis.find(indicator),
          ports.clients.find(client.clientId),
        ])
        if (api === undefined || allowed === undefined) throw new errors.InvalidTarget()
        const scope = api.scopes.filter(({ name }) => allowed.scopes.includes(name))
        if (scope.length === 0) throw new errors.InvalidTarget('the client has no scope of this resource')
        return resourceServer(api, scope.map(({ name }) => name).join(' '))
      },
    },
  }
}

function resourceServer(api: Api, scope: string): ResourceServer {
  const common = { scope, audience: api.indicator, accessTokenTTL: api.accessTokenTtlSeconds }
  if (api.tokenFormat === 'opaque') return { ...common, accessTokenFormat: 'opaque' } as ResourceServer
  return { ...common, accessTokenFormat: 'jwt', jwt: { sign: { alg: api.tokenAlgorithm } } } as ResourceServer
}
