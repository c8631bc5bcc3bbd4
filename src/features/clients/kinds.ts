export const kinds = ['web', 'spa', 'native', 'service'] as const
export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:openid:params:grant-type:ciba',
] as const
export const authentications = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'federated_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const
export const idTokenAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const

export type ClientKind = (typeof kinds)[number]
export type GrantType = (typeof grantTypes)[number]
/** How the client proves who it is at the token endpoint (RFC 6749 §2.3, RFC 7523 §2.2). */
export type Authentication = (typeof authentications)[number]
export type IdTokenAlgorithm = (typeof idTokenAlgorithms)[number]

interface KindRules {
  readonly documentation: string
  /** The first is what holds when nothing is said. */
  readonly authentications: readonly [Authentication, ...Authentication[]]
  readonly grantTypes: readonly GrantType[]
  readonly defaultGrantTypes: readonly GrantType[]
  readonly defaultScopes: readonly string[]
}

const ofPeople = ['openid', 'profile', 'email', 'offline_access']

/** What each kind may do and what it gets when nothing is said. */
export const kindRules = {
  web: {
    documentation: 'an application that runs on a server',
    authentications: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'federated_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
    grantTypes: [
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'urn:openid:params:grant-type:ciba',
    ],
    defaultGrantTypes: ['authorization_code', 'refresh_token'],
    defaultScopes: ofPeople,
  },
  spa: {
    documentation: 'a single-page application, which runs in the browser and keeps no secret',
    authentications: ['none'],
    grantTypes: ['authorization_code', 'refresh_token'],
    defaultGrantTypes: ['authorization_code', 'refresh_token'],
    defaultScopes: ofPeople,
  },
  native: {
    documentation: 'an application installed on a phone or computer, which keeps no secret',
    authentications: ['none'],
    grantTypes: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    defaultGrantTypes: ['authorization_code', 'refresh_token'],
    defaultScopes: ofPeople,
  },
  service: {
    documentation: 'a program that acts for itself and not for a person',
    authentications: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'federated_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
    grantTypes: [
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'urn:openid:params:grant-type:ciba',
    ],
    defaultGrantTypes: ['client_credentials'],
    defaultScopes: [],
  },
} as const satisfies Record<ClientKind, KindRules>

export const usesSecret = (authentication: Authentication): boolean =>
  authentication === 'client_secret_basic' || authentication === 'client_secret_post'
