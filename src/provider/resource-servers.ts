import { createPublicKey } from 'node:crypto'
import type { Client, Configuration, KoaContextWithOIDC, ResourceServer } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Area } from './area.ts'
import { askedDetails } from './authorization-details/asked.ts'
import type { Api, Ports, ProviderClient } from './ports.ts'

/** The APIs that tokens are for (RFC 8707), and what they may ask about them (RFC 7662). */
export const resourceServers: Area = {
  options: ({ ports }) => ({ features: features(ports) }),
}

function features(ports: Ports): Configuration['features'] {
  return {
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => {
        const { accountId, clientId, aud } = token as Partial<IntrospectedToken>
        return mayIntrospect(ports, client, { accountId, clientId, aud })
      },
    },
    resourceIndicators: {
      enabled: true,
      // Of several granted ones none: a token without an audience is for userinfo.
      defaultResource: async (ctx, client, oneOf) =>
        (oneOf === undefined
          ? (locationsOf(ctx) ?? (await ports.clients.find(client.clientId))?.defaultResource)
          : undefined) as unknown as string,
      // Without `openid` there is no userinfo to call, so the token is for the API that was asked for; so it is where
      // something was allowed in detail, which is for an API and nobody else.
      useGrantedResource: async (_ctx, model) =>
        !model.scopes.has('openid') || (model as { rar?: unknown }).rar !== undefined,
      async getResourceServerInfo(_ctx, indicator, client) {
        const [api, allowed] = await Promise.all([
          ports.apis.find(indicator),
          ports.clients.find(client.clientId),
        ])
        if (api === undefined || allowed === undefined) throw new errors.InvalidTarget()
        const scope = api.scopes.filter(({ name }) => allowed.scopes.includes(name))
        if (scope.length === 0 && !sharesType(api, allowed))
          throw new errors.InvalidTarget('the client has no scope of this resource')
        return resourceServer(api, scope.map(({ name }) => name).join(' '))
      },
    },
  }
}

/** What is asked about a token, whatever its form. */
export interface IntrospectedToken {
  readonly accountId: string | undefined
  readonly clientId: string | undefined
  readonly aud: unknown
}

/** The client that holds a token may ask about it, and who is registered for its API (RFC 7662 §2.1, §4). */
export async function mayIntrospect(
  ports: Pick<Ports, 'accounts' | 'apis' | 'profiles'>,
  client: Client,
  { accountId, clientId, aud }: IntrospectedToken,
): Promise<boolean> {
  // RFC 7662 §2.1: who cannot prove who it is learns nothing.
  if (client.clientAuthMethod === 'none') return false
  if (accountId !== undefined && (await ports.accounts.find(accountId)) === undefined) return false
  if (clientId !== undefined && (await ports.profiles.refused(clientId)) !== undefined) return false
  if (clientId === client.clientId) return true
  const api = typeof aud === 'string' ? await ports.apis.find(aud) : undefined
  return api?.introspectors?.includes(client.clientId) ?? false
}

/** A client may have nothing at an API but what is allowed in detail (RFC 9396). */
const sharesType = (api: Api, { authorizationDetailsTypes: own = [] }: ProviderClient): boolean =>
  api.authorizationDetailsTypes?.some((type) => own.includes(type)) ?? false

/** Where no API is named, authorization details may name it themselves (RFC 9396 §2.2). */
function locationsOf(ctx: KoaContextWithOIDC): string | string[] | undefined {
  const named = new Set(askedDetails(ctx).flatMap(({ locations }) => locations))
  const locations = [...named].filter((location) => typeof location === 'string')
  return locations.length > 1 ? locations : locations[0]
}

function resourceServer(api: Api, scope: string): ResourceServer {
  const common = { scope, audience: api.indicator, accessTokenTTL: api.accessTokenTtlSeconds }
  if (api.tokenFormat === 'opaque') return { ...common, accessTokenFormat: 'opaque' } as ResourceServer
  const jwt = { sign: { alg: api.tokenAlgorithm }, ...encryption(api) }
  return { ...common, accessTokenFormat: 'jwt', jwt } as ResourceServer
}

/** RFC 9068 §2.1, RFC 7519 §11.2: signed first, then encrypted to the API's own key. */
function encryption({ accessTokenEncryptionAlg: alg, accessTokenEncryptionEnc: enc, jwks }: Api) {
  const [jwk] = jwks?.keys ?? []
  if (alg === undefined || jwk === undefined) return {}
  const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  return { encrypt: { alg, enc: enc ?? 'A128CBC-HS256', key, ...(jwk.kid && { kid: jwk.kid }) } }
}
