import type { Configuration } from 'oidc-provider'
import { errors } from 'oidc-provider'
import { joined } from './area.ts'
import { areas } from './areas.ts'
import { adapterFactory } from './artefacts/adapter.ts'
import { acrValues } from './assurance.ts'
import { clientOf, directClient } from './client-metadata.ts'
import { loadGrant } from './grants/grants.ts'
import type { OptionInputs } from './inputs.ts'
import { lifetimes } from './lifetimes.ts'
import { logoutPages } from './logout/pages.ts'
import { maximumBodyBytes } from './outbound.ts'
import { openSubjects } from './pairwise.ts'
import { interactionPrompts } from './policy.ts'
import type { Accounts } from './ports.ts'

/** Everything that the library is told: the ground that all stand on, and each area of the protocol. */
export const options = (inputs: OptionInputs): Configuration =>
  joined([ground(inputs), ...areas.map((area) => area.options?.(inputs) ?? {})])

/** Where the library has a default that we keep, it is not mentioned. */
function ground(inputs: OptionInputs): Configuration {
  const { ports, settings, clock, issuer, keyMaterial, outbound, adapter } = inputs

  return {
    adapter: adapterFactory(adapter),
    jwks: { keys: [...keyMaterial.jwks] },
    cookies: cookies(issuer.startsWith('https:'), keyMaterial.cookieKeys),
    ...people(ports.accounts),
    ...clients(issuer),
    ...tokens,

    scopes: [...adapter.serverScopes],
    loadExistingGrant: (ctx) => loadGrant(ctx, ports.consents),
    interactions: {
      policy: interactionPrompts(ports),
      url: (_ctx, interaction) => `${issuer}/interaction/${interaction.uid}`,
    },
    acrValues: [...acrValues],
    discovery: { ...ports.discovery },
    ttl: lifetimes(settings, clock),
    clockTolerance: 15,
    allowOmittingSingleRegisteredRedirectUri: false,

    renderError: async (ctx, out, error) => {
      ctx.type = 'html'
      ctx.body = ports.pages.error(ctx, {
        error: out.error,
        description: out.error_description,
        status: ctx.status,
        client: clientOf(ctx),
        ...(error instanceof errors.SessionNotFound ? { error: 'session_not_found' } : undefined),
      })
    },
    fetch: outbound as Configuration['fetch'],
    fetchResponseBodyLimits: { jwks_uri: maximumBodyBytes, sector_identifier_uri: maximumBodyBytes },
    features: features(inputs),
  }
}

/** Who signs in, and what tokens say of them. */
const people = (accounts: Accounts): Configuration => ({
  findAccount: async (_ctx, id) => {
    const account = await accounts.find(id)
    if (account === undefined) return undefined
    return {
      accountId: id,
      claims: async (_use, scope, asked) => ({
        sub: id,
        ...(await accounts.claims(id, scopesOf(accounts.scopes, scope, asked))),
      }),
    }
  },
  claims: {
    ...Object.fromEntries(Object.entries(accounts.scopes).map(([scope, claims]) => [scope, [...claims]])),
    openid: ['sub', 'acr', 'amr', 'auth_time'],
  },
})

/**
 * The scopes allowed, and those that give single claims which were asked for by the claims parameter (OpenID Connect
 * Core 1.0 §5.5); of these the library tells no other claim.
 */
function scopesOf(
  scopes: Accounts['scopes'],
  allowed: string,
  asked: object | undefined,
): ReadonlySet<string> {
  const names = Object.keys(asked ?? {})
  const giving = Object.entries(scopes).filter(([, claims]) => claims.some((claim) => names.includes(claim)))
  return new Set([...allowed.split(' '), ...giving.map(([scope]) => scope)])
}

const clients = (issuer: string): Configuration => ({
  clients: [directClient(issuer)],
  extraClientMetadata: { properties: ['allowed_origins', 'first_party'] },
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  clientDefaults: {
    id_token_signed_response_alg: 'RS256',
    response_types: ['code'],
    grant_types: ['authorization_code'],
  },
  clientBasedCORS: (_ctx, origin, client) =>
    (client.allowed_origins as string[] | undefined)?.includes(origin) ?? false,
})

/** Who gets a refresh token, and how long what was given outlives its session. */
const tokens: Configuration = {
  issueRefreshToken: async (_ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') &&
    (code.scopes.has('offline_access') || client.first_party === true),
  // RFC 9700 §4.14.2: a refresh token that anybody could use rotates at each use; a bound one needs no rotation.
  rotateRefreshToken: ({ oidc }) =>
    oidc.client?.clientAuthMethod === 'none' && oidc.entities.RefreshToken?.isSenderConstrained() !== true,
  expiresWithSession: async (_ctx, token) => !token.scopes.has('offline_access'),
}

function features({ ports, keyMaterial, sealing }: OptionInputs): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true, nonceSecret: keyMaterial.dpopNonceSecret },
    rpInitiatedLogout: { enabled: true, ...logoutPages(ports.pages, openSubjects(sealing)) },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
  }
}

/** `__Host-` and `__Secure-` need https (RFC 6265bis §4.1.3), so plain names serve http://localhost alone. */
function cookies(secure: boolean, keys: readonly string[]): Configuration['cookies'] {
  const shared = { signed: true, httpOnly: true, sameSite: 'lax', secure, overwrite: true } as const
  return {
    names: {
      session: secure ? '__Host-latchkey_session' : 'latchkey_session',
      interaction: secure ? '__Secure-latchkey_interaction' : 'latchkey_interaction',
      resume: secure ? '__Secure-latchkey_resume' : 'latchkey_resume',
    },
    keys: [...keys],
    long: { ...shared, path: '/' },
    short: shared,
  }
}
