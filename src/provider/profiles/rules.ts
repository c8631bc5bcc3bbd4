import type { Client, errors } from 'oidc-provider'

/** What a security profile demands, as far as requests can break it. */
export interface ProfileRules {
  readonly name: string
  readonly fapi?: '1.0 Final' | '2.0'
  readonly algorithms?: readonly string[]
  readonly issuerAudience?: true
  readonly pushedRequests?: true
  readonly signedRequests?: true
  readonly binding?: 'dpop' | 'certificate'
  readonly pkce: 'always' | 'pushed' | 'public'
  /** By response type, the response modes. */
  readonly responses: Readonly<Partial<Record<string, readonly string[]>>>
}

/** The profiles as the server allows them. */
export interface SecurityProfiles {
  /** `undefined` for one that the server does not allow. */
  find(name: string): ProfileRules | undefined
  /** The name of the profile for which a client is marked, where the server does not allow it. */
  refused(clientId: string): Promise<string | undefined>
  readonly responseTypes: readonly string[]
}

/** What a client has of its profile, and what it adds (IANA OAuth Dynamic Client Registration Metadata). */
export interface ClientProfile {
  /** The name of its security profile; the default one where it has none. */
  readonly profile?: string | undefined
  readonly responseTypes?: readonly string[] | undefined
  readonly responseModes?: readonly string[] | undefined
  readonly requirePushedAuthorizationRequests?: boolean | undefined
  readonly requireSignedRequestObject?: boolean | undefined
  readonly dpopBoundAccessTokens?: boolean | undefined
  readonly tlsClientCertificateBoundAccessTokens?: boolean | undefined
  readonly tokenEndpointAuthSigningAlg?: string | undefined
  readonly requireAuthTime?: boolean | undefined
  readonly defaultMaxAge?: number | undefined
  readonly defaultAcrValues?: readonly string[] | undefined
  readonly initiateLoginUri?: string | undefined
  readonly contacts?: readonly string[] | undefined
}

const defaultProfile = 'oauth-2.1'

/**
 * What holds for a client that the library knows. One whose identifier is an address may have described itself: it may say
 * that it is stricter than the default, never that it is laxer.
 */
export function rulesOf(profiles: SecurityProfiles, client: Client): ProfileRules {
  const { clientId, security_profile: said } = client
  const name = typeof said === 'string' ? said : defaultProfile
  const rules = profiles.find(name)
  const isLaxer = rules === undefined || rules.pkce === 'public'
  const found = isLaxer && clientId.includes(':') ? profiles.find(defaultProfile) : rules
  if (found === undefined) throw new Error(`The server does not allow the profile ${name}.`)
  return found
}

/** The words with which every refusal tells why. */
export const by = ({ name }: ProfileRules): string => `, as the client's security profile ${name} demands`

/** An error of the library whose description is ours, also where its own is fixed. */
export function described<E extends errors.OIDCProviderError>(error: E, description: string): E {
  error.error_description = description
  return error
}
