export const profileNames = [
  'oauth-2.1',
  'fapi-2-security',
  'fapi-2-message-signing',
  'fapi-1-advanced',
  'legacy',
] as const

export type ProfileName = (typeof profileNames)[number]
export const defaultProfile: ProfileName = 'oauth-2.1'

const plain = ['query', 'fragment', 'form_post'] as const
/** Responses as a signed JWT (JARM). */
const signed = ['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'] as const
const any = [...plain, ...signed] as const
/** Tokens never stand in a query, where servers log them (OAuth 2.0 Multiple Response Types §3). */
const notQuery = ['fragment', 'form_post', 'jwt', 'fragment.jwt', 'form_post.jwt'] as const

export const responseModes = any
export const responseTypes = [
  'code',
  'code id_token',
  'code token',
  'code id_token token',
  'id_token',
  'id_token token',
] as const

export type ResponseType = (typeof responseTypes)[number]
export type ResponseMode = (typeof responseModes)[number]

/** How a client proves itself without a shared secret. */
const keyHolders = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'] as const

/** What one setting decides. A member that is missing decides nothing. */
export interface SecurityProfile {
  readonly name: ProfileName
  readonly documentation: string
  /** What the library enforces of it by itself. */
  readonly fapi?: '1.0 Final' | '2.0'
  /** How the client may prove itself. */
  readonly authentications?: readonly string[]
  /** With what the client may sign, and the server for it. The first is what holds when nothing is said. */
  readonly algorithms?: readonly string[]
  /** Client assertions name the issuer as their one audience (FAPI 2.0 Security Profile §5.3.2.1). */
  readonly issuerAudience?: true
  readonly pushedRequests?: true
  readonly signedRequests?: true
  /** To which of the two tokens are bound where the client does not say. */
  readonly binding?: 'dpop' | 'certificate'
  /** Redirect URIs are https, on this machine too. */
  readonly httpsRedirects?: true
  /** Who needs PKCE with S256: every request with a code, the pushed ones, or those of clients that prove nothing. */
  readonly pkce: 'always' | 'pushed' | 'public'
  /** The response types, each with its response modes. What is not here is refused. */
  readonly responses: Readonly<Partial<Record<ResponseType, readonly ResponseMode[]>>>
}

/** The bundles. What they have in common (codes of 60 seconds, pushed requests of 60 seconds, `iss`) holds for all. */
export const profiles: Readonly<Record<ProfileName, SecurityProfile>> = {
  'oauth-2.1': {
    name: 'oauth-2.1',
    documentation: 'code with PKCE and exact redirect URIs, for every kind of client',
    pkce: 'always',
    responses: { code: any },
  },
  'fapi-2-security': {
    name: 'fapi-2-security',
    documentation:
      'FAPI 2.0 Security Profile: pushed requests, private_key_jwt or a TLS certificate, tokens bound to a key, PS256, ES256 or EdDSA',
    fapi: '2.0',
    authentications: keyHolders,
    algorithms: ['ES256', 'PS256', 'EdDSA', 'Ed25519'],
    issuerAudience: true,
    pushedRequests: true,
    binding: 'dpop',
    httpsRedirects: true,
    pkce: 'always',
    responses: { code: any },
  },
  'fapi-2-message-signing': {
    name: 'fapi-2-message-signing',
    documentation: 'FAPI 2.0 Message Signing: the same, and requests (JAR) and responses (JARM) are signed',
    fapi: '2.0',
    authentications: keyHolders,
    algorithms: ['ES256', 'PS256', 'EdDSA', 'Ed25519'],
    issuerAudience: true,
    pushedRequests: true,
    signedRequests: true,
    binding: 'dpop',
    httpsRedirects: true,
    pkce: 'always',
    responses: { code: signed },
  },
  'fapi-1-advanced': {
    name: 'fapi-1-advanced',
    documentation:
      'FAPI 1.0 Advanced: signed requests, a signed response (JARM, or code id_token where the server allows it), tokens bound to a certificate or key, PS256 or ES256',
    fapi: '1.0 Final',
    authentications: keyHolders,
    algorithms: ['ES256', 'PS256'],
    signedRequests: true,
    binding: 'certificate',
    httpsRedirects: true,
    pkce: 'pushed',
    responses: { code: signed, 'code id_token': notQuery },
  },
  legacy: {
    name: 'legacy',
    documentation:
      'implicit and hybrid response types, and no PKCE for clients that authenticate; only where LATCHKEY_CLIENTS_ALLOW_LEGACY is true',
    pkce: 'public',
    responses: {
      code: any,
      'code id_token': notQuery,
      'code token': notQuery,
      'code id_token token': notQuery,
      id_token: notQuery,
      'id_token token': notQuery,
    },
  },
}
