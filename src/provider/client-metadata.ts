import type { ClientMetadata, KoaContextWithOIDC } from 'oidc-provider'
import { newSecret } from '../kernel/ids.ts'
import { encryptionNames, impliedUserinfoAlgorithm } from './encryption/client-encryption.ts'
import type { Accounts, ProviderClient } from './ports.ts'

/** Never compared: secrets are stored hashed and checked by `Clients.verifySecret`. The library wants one to be there. */
const unusedSecret = newSecret()
const secretMethods = new Set(['client_secret_basic', 'client_secret_post'])
/** The library compares a secret of the moment, and with it the token that stands behind it (assertions/federation.ts). */
const methodOf = ({ authentication }: ProviderClient): string =>
  authentication === 'federated_jwt' ? 'client_secret_post' : authentication

const backchannelGrant = 'urn:openid:params:grant-type:ciba'

/** The scopes that are the server's own, and of no API. */
export const serverScopesOf = ({ scopes }: Pick<Accounts, 'scopes'>): ReadonlySet<string> =>
  new Set(['openid', 'offline_access', ...Object.keys(scopes)])

/** Our client in the words of OpenID Connect Dynamic Client Registration 1.0 §2. */
export function clientMetadata(client: ProviderClient, serverScopes: ReadonlySet<string>): ClientMetadata {
  const codeFlow = client.grantTypes.includes('authorization_code')
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: client.kind === 'native' ? 'native' : 'web',
    grant_types: [...client.grantTypes],
    response_types: (codeFlow
      ? [...(client.responseTypes ?? ['code'])]
      : []) as ClientMetadata['response_types'],
    redirect_uris: [...client.redirectUris],
    post_logout_redirect_uris: [...client.postLogoutRedirectUris],
    // Without a value the library would allow every scope; `offline_access` by itself gives nothing.
    scope: client.scopes.filter((scope) => serverScopes.has(scope)).join(' ') || 'offline_access',
    token_endpoint_auth_method: methodOf(client) as ClientMetadata['token_endpoint_auth_method'],
    id_token_signed_response_alg: client.idTokenAlgorithm as ClientMetadata['id_token_signed_response_alg'],
    allowed_origins: [...client.allowedOrigins],
    first_party: client.firstParty,
    security_profile: client.profile,
    ...present(registered(client)),
    ...(client.grantTypes.includes(backchannelGrant) && {
      backchannel_token_delivery_mode: client.backchannelTokenDeliveryMode ?? 'poll',
      // The library wants https even on this machine; it is we who call, at the address that was registered.
      backchannel_client_notification_endpoint: client.backchannelClientNotificationEndpoint?.replace(
        /^http:/,
        'https:',
      ),
    }),
    ...present({ userinfo_signed_response_alg: impliedUserinfoAlgorithm(client) }),
    ...present({
      client_secret: secretMethods.has(methodOf(client)) ? unusedSecret : undefined,
      // The library notes the thumbprint of its certificate in each key, and ours are frozen.
      jwks: structuredClone(client.jwks) as ClientMetadata['jwks'],
      jwks_uri: client.jwksUri,
      logo_uri: client.logoUri,
      client_uri: client.clientUri,
      policy_uri: client.policyUri,
      tos_uri: client.tosUri,
    }),
  }
}

/** Names of the client's fields that the library knows by the same name (IANA client metadata), in snake case. */
const passedOn = [
  ...encryptionNames,
  'requirePushedAuthorizationRequests',
  'requireSignedRequestObject',
  'dpopBoundAccessTokens',
  'tlsClientCertificateBoundAccessTokens',
  'tlsClientAuthSubjectDn',
  'tlsClientAuthSanDns',
  'tlsClientAuthSanUri',
  'tlsClientAuthSanIp',
  'tlsClientAuthSanEmail',
  'useMtlsEndpointAliases',
  'dpopNonceRequired',
  'tokenEndpointAuthSigningAlg',
  'responseModes',
  'requireAuthTime',
  'defaultMaxAge',
  'defaultAcrValues',
  'initiateLoginUri',
  'contacts',
  'backchannelLogoutUri',
  'backchannelLogoutSessionRequired',
  'frontchannelLogoutUri',
  'frontchannelLogoutSessionRequired',
  'accessTokenTtlSeconds',
  'idTokenTtlSeconds',
  'refreshTokenIdleSeconds',
  'refreshTokenMaximumSeconds',
] as const satisfies readonly (keyof ProviderClient)[]

const registered = (client: ProviderClient): Record<string, unknown> =>
  Object.fromEntries(passedOn.map((name) => [snakeCase(name), client[name]]))

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const present = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null))

export const directClientId = 'latchkey'

/** The server's own pages sign people in through the front door too: response type `none` gives a session and no token. */
export const directClient = (issuer: string): ClientMetadata => ({
  client_id: directClientId,
  client_name: 'Latchkey',
  grant_types: [],
  response_types: ['none'],
  redirect_uris: [`${issuer}/`],
  token_endpoint_auth_method: 'none',
  scope: 'openid',
  allowed_origins: [],
  first_party: true,
})

/** What a page says of the client of a request. */
export function clientOf({
  oidc,
}: KoaContextWithOIDC): { name: string; uri?: string | undefined } | undefined {
  const client = oidc?.client
  return client === undefined
    ? undefined
    : { name: client.clientName ?? client.clientId, uri: client.clientUri }
}
