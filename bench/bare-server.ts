/**
 * The yardstick: oidc-provider and nothing else, on plain node:http over Maps that never evict.
 * Run as a child process with its configuration as JSON in BENCH_BARE.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { verify } from '@node-rs/argon2'
import type { Adapter, AdapterPayload, Configuration, ResourceServer } from 'oidc-provider'
import { Provider } from 'oidc-provider'
import { z } from 'zod'
import { parameters } from './parameters.ts'

const credentials = z.object({ id: z.string(), secret: z.string() })

export const bareConfiguration = z.object({
  issuer: z.url(),
  port: z.number(),
  keys: z.array(z.looseObject({ kty: z.string() })),
  web: credentials,
  service: credentials,
  fapi: z.object({ id: z.string(), key: z.looseObject({ kty: z.string() }) }),
  user: z.object({ identifier: z.string(), name: z.string(), passwordHash: z.string() }),
})

const config = bareConfiguration.parse(JSON.parse(process.env.BENCH_BARE ?? ''))
const accountId = 'bench-person'

const resourceServers: Readonly<Record<string, ResourceServer>> = {
  [parameters.apis.es256]: jwtApi(parameters.apis.es256, 'ES256'),
  [parameters.apis.rs256]: jwtApi(parameters.apis.rs256, 'RS256'),
}

function jwtApi(audience: string, alg: 'ES256' | 'RS256'): ResourceServer {
  return {
    scope: parameters.apiScope,
    audience,
    accessTokenFormat: 'jwt',
    accessTokenTTL: 600,
    jwt: { sign: { alg } },
  }
}

const configuration: Configuration = {
  adapter: mapAdapter,
  clients: [
    {
      client_id: config.web.id,
      client_secret: config.web.secret,
      redirect_uris: [parameters.redirectUri],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      id_token_signed_response_alg: parameters.idTokenAlgorithm,
    },
    {
      client_id: config.service.id,
      client_secret: config.service.secret,
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
    },
    {
      client_id: config.fapi.id,
      redirect_uris: [parameters.redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      id_token_signed_response_alg: 'ES256',
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      jwks: { keys: [config.fapi.key] },
    },
  ],
  jwks: { keys: config.keys },
  cookies: {
    keys: ['bench'],
    long: { signed: true, httpOnly: true, sameSite: 'lax' },
    short: { signed: true, httpOnly: true, sameSite: 'lax' },
  },
  responseTypes: ['code'],
  pkce: { required: () => true },
  claims: {
    openid: ['sub', 'acr', 'amr', 'auth_time'],
    profile: ['name', 'preferred_username', 'updated_at'],
    email: ['email', 'email_verified'],
  },
  findAccount: () => ({
    accountId,
    claims: () => ({
      sub: accountId,
      name: config.user.name,
      preferred_username: 'bench',
      updated_at: 1_750_000_000,
      email: config.user.identifier,
      email_verified: true,
    }),
  }),
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: false,
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant(ctx) {
    const { client, session, account, provider } = ctx.oidc
    if (!client || !session || !account) return undefined
    const known = session.grantIdFor(client.clientId)
    if (known) return provider.Grant.find(known)
    const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
    grant.addOIDCScope(parameters.scope)
    await grant.save()
    return grant
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    revocation: { enabled: true },
    dPoP: { enabled: true },
    deviceFlow: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => [],
      getResourceServerInfo(_ctx, indicator) {
        const server = resourceServers[indicator]
        if (!server) throw new Error(`no such resource: ${indicator}`)
        return server
      },
    },
  },
  ttl: {
    AccessToken: 600,
    AuthorizationCode: 60,
    ClientCredentials: 600,
    Grant: 1_209_600,
    IdToken: 600,
    Interaction: 1800,
    RefreshToken: 1_209_600,
    Session: 1_209_600,
  },
}

const provider = new Provider(config.issuer, configuration)
const answer = provider.callback()

createServer((request, response) => {
  if (!request.url?.startsWith('/interaction/')) {
    answer(request, response)
    return
  }
  signIn(request, response).catch((error: unknown) => {
    console.error(error)
    response.writeHead(500).end()
  })
}).listen(config.port, 'localhost')

/** The smallest form the bench's browser can fill in, and the same password hash Latchkey uses. */
async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') {
    response
      .setHeader('content-type', 'text/html')
      .end('<form method="post"><input name="identifier"><input name="password" type="password"></form>')
    return
  }
  const form = new URLSearchParams(await text(request))
  const proven =
    form.get('identifier') === config.user.identifier &&
    (await verify(config.user.passwordHash, form.get('password') ?? ''))
  if (!proven) {
    response.writeHead(401).end()
    return
  }
  await provider.interactionFinished(request, response, { login: { accountId, amr: ['pwd'] } })
}

function mapAdapter(): Adapter {
  const rows = new Map<string, AdapterPayload>()
  const byUid = new Map<string, string>()
  return {
    async upsert(id, payload) {
      rows.set(id, payload)
      if (payload.uid !== undefined) byUid.set(payload.uid, id)
    },
    find: async (id) => rows.get(id),
    findByUid: async (uid) => rows.get(byUid.get(uid) ?? ''),
    findByUserCode: async () => undefined,
    async consume(id) {
      const row = rows.get(id)
      if (row) row.consumed = Math.floor(Date.now() / 1000)
    },
    async destroy(id) {
      rows.delete(id)
    },
    async revokeByGrantId(grantId) {
      for (const [id, row] of rows) if (row.grantId === grantId) rows.delete(id)
    },
  }
}
