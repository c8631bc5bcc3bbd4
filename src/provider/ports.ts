import type { JWK } from 'jose'
import type { Context } from 'koa'
import type { AuthorizationDetail } from '../kernel/authorization-details.ts'
import type { Clock } from '../kernel/clock.ts'
import type { DeclaredClaim, PlacedClaim } from '../kernel/declared-claims.ts'
import type { Level } from '../kernel/levels.ts'
import type { Sealing } from '../kernel/sealing.ts'
import type { SettingValues } from '../kernel/settings.ts'
import type { DatabaseTransaction, Storage } from '../storage/storage.ts'
import type { Artefacts } from './artefacts/artefacts.ts'
import type { TrustedIssuers } from './assertions/ports.ts'
import type { BackchannelPorts } from './backchannel/ports.ts'
import type { MutualTls } from './certificates/mutual-tls.ts'
import type { DevicePorts } from './device/ports.ts'
import type { ClientEncryption } from './encryption/client-encryption.ts'
import type { ApplicationLogouts, LogoutFields } from './logout/ports.ts'
import type { OutboundFetch } from './outbound.ts'
import type { ClientProfile, SecurityProfiles } from './profiles/rules.ts'
import type { RegistrationPorts } from './registration/ports.ts'
import type { settings } from './settings.ts'
import type { ExchangeFields } from './token-exchange/ports.ts'

/** What the provider needs of the rest of the house. `provider-ports.ts` meets it. */
export interface Ports {
  readonly accounts: Accounts
  readonly signIns: SignIns
  readonly clients: Clients
  readonly consents: Consents
  readonly apis: Apis
  readonly authorizationTypes: AuthorizationTypes
  readonly keys: Keys
  readonly mutualTls: MutualTls
  readonly profiles: SecurityProfiles
  readonly trustedIssuers: TrustedIssuers
  readonly registrations: RegistrationPorts<ProviderClient>
  readonly applicationLogouts: ApplicationLogouts
  readonly pages: ProviderPages
  readonly devices: DevicePorts
  readonly backchannel: BackchannelPorts
  readonly events: ProviderEvents
  /** What the discovery document says beside what the library knows of itself. */
  readonly discovery: Readonly<Record<string, unknown>>
  /** The identifier in the browser's device cookie. */
  readonly deviceOf: (ctx: Context) => string | undefined
}

export interface ProviderDependencies {
  /** The issuer identifier; every URL comes from it. */
  readonly issuer: string
  readonly storage: Storage
  readonly artefacts: Artefacts
  readonly clock: Clock
  readonly sealing: Sealing
  readonly settings: SettingValues<typeof settings>
  /** The guarded way out. */
  readonly outbound: OutboundFetch
  readonly ports: Ports
}

/** What people prove on the pages, until it is in a session. */
export interface SignIns {
  /** Whether nobody has ended it; in the transaction that relies on it, with the user locked. */
  stands(db: DatabaseTransaction, attempt: string, userId: string): Promise<boolean>
}

/** People, as far as tokens are about them. */
export interface Accounts {
  /** `undefined` for a person who does not exist or may not be served at the moment. */
  find(userId: string): Promise<{ readonly id: string } | undefined>
  claims(userId: string, scopes: ReadonlySet<string>): Promise<Readonly<Record<string, unknown>>>
  /** The claims that each scope gives (OpenID Connect Core 1.0 §5.4). */
  readonly scopes: Readonly<Record<string, readonly string[]>>
}

export interface ProviderClient extends ClientProfile, ExchangeFields, ClientEncryption, LogoutFields {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly firstParty: boolean
  readonly logoUri?: string | undefined
  readonly clientUri?: string | undefined
  readonly policyUri?: string | undefined
  readonly tosUri?: string | undefined
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly grantTypes: readonly string[]
  readonly scopes: readonly string[]
  readonly authentication: string
  readonly jwks?: unknown
  readonly jwksUri?: string | undefined
  readonly tlsClientAuthSubjectDn?: string | undefined
  readonly tlsClientAuthSanDns?: string | undefined
  readonly tlsClientAuthSanUri?: string | undefined
  readonly tlsClientAuthSanIp?: string | undefined
  readonly tlsClientAuthSanEmail?: string | undefined
  readonly useMtlsEndpointAliases?: boolean | undefined
  /** Its DPoP proofs must carry a nonce of the server. */
  readonly dpopNonceRequired?: boolean | undefined
  readonly idTokenAlgorithm: string
  /** What must be proven to sign in to it, where that is more than the server demands. */
  readonly requiredLevel?: Level | undefined
  readonly backchannelTokenDeliveryMode?: 'poll' | 'ping' | undefined
  readonly backchannelClientNotificationEndpoint?: string | undefined
  readonly accessTokenTtlSeconds?: number | undefined
  readonly idTokenTtlSeconds?: number | undefined
  readonly refreshTokenIdleSeconds?: number | undefined
  readonly refreshTokenMaximumSeconds?: number | undefined
  /** Claims that it gets beside those of scopes. */
  readonly extraClaims?: readonly PlacedClaim[] | undefined
  /** The indicator of the API that it asks a token for where its request names none. */
  readonly defaultResource?: string | undefined
  /** The types of authorization details that it may ask for. */
  readonly authorizationDetailsTypes?: readonly string[] | undefined
}

export interface Clients {
  /** `undefined` for a client that does not exist or is disabled. `address` is that of whoever names it. */
  find(clientId: string, address?: string): Promise<ProviderClient | undefined>
  /** Compares with each secret of the client that has not expired, in constant time. */
  verifySecret(clientId: string, presented: string): Promise<boolean>
  /** Those that authenticate by tokens of trusted issuers. */
  listFederated(): Promise<readonly ProviderClient[]>
}

/** What a person has allowed a client, remembered beyond the session. */
export interface RememberedConsent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** API scopes by resource indicator. */
  readonly resources: Readonly<Record<string, readonly string[]>>
  /** In all their particulars (RFC 9396). */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

export interface Consents {
  find(userId: string, clientId: string): Promise<RememberedConsent | undefined>
  /** Whether there is one still, once nobody is withdrawing it any more. */
  settled(userId: string, clientId: string): Promise<RememberedConsent | undefined>
}

export interface Api {
  readonly indicator: string
  readonly name: string
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
  readonly tokenFormat: string
  readonly tokenAlgorithm: string
  readonly accessTokenTtlSeconds: number
  /** Clients that may introspect tokens made for this API, beside the client that holds them. */
  readonly introspectors?: readonly string[]
  /** To what its tokens must be bound. */
  readonly requiredSenderConstraint?: 'none' | 'dpop' | 'mtls' | 'any' | undefined
  readonly claims?: readonly DeclaredClaim[] | undefined
  /** The types of authorization details that it understands. */
  readonly authorizationDetailsTypes?: readonly string[] | undefined
  readonly accessTokenEncryptionAlg?: string | undefined
  readonly accessTokenEncryptionEnc?: string | undefined
  /** The one key to which its tokens are encrypted. */
  readonly jwks?: { readonly keys: readonly JWK[] } | undefined
}

export interface Apis {
  /** `undefined` for an API that is not registered or is disabled. */
  find(indicator: string): Promise<Api | undefined>
}

/** A type of authorization details (RFC 9396). */
export interface AuthorizationType {
  readonly type: string
  /** Exactly the same details, once allowed, need not be allowed anew. */
  readonly remember: boolean
}

export interface AuthorizationTypes {
  /** Those that are active. */
  list(): Promise<readonly AuthorizationType[]>
  /** What is wrong with details of an active type, in a few words; `undefined` where nothing is. */
  faultOf(detail: AuthorizationDetail): Promise<string | undefined>
  /** Counts changes; `undefined` while that cannot be known. */
  revision(): number | undefined
}

export interface Keys {
  snapshot(): Promise<{
    readonly jwks: readonly JWK[]
    /** The `kid` of those that only decrypt what is on its way. */
    readonly withdrawn: readonly string[]
    readonly cookieKeys: readonly string[]
    readonly dpopNonceSecret: Buffer
  }>
  revision(): number | undefined
}

/** The pages that the library asks for in the middle of its own flows. */
export interface ProviderPages {
  error(ctx: Context, error: ProviderFailure): string
  confirmLogout(ctx: Context, page: LogoutPage): Promise<string>
  loggedOut(ctx: Context, page: LoggedOutPage): string
  /** A page that tells applications in hidden frames and then leads on. */
  tellingApplications(ctx: Context, page: TellingPage): string
}

export interface TellingPage {
  /** Addresses of applications; the only ones that the page may frame. */
  readonly frames: readonly string[]
  readonly continueTo: string
}

export interface LoggedOutPage {
  readonly client: { readonly name: string; readonly uri?: string | undefined } | undefined
  /** Signed out of the client alone. */
  readonly stillSignedIn: boolean
}

export interface ProviderFailure {
  /** The OAuth error code, or `session_not_found` for a sign-in that is not under way in this browser. */
  readonly error: string
  readonly description?: string | undefined
  readonly status: number
  readonly client?: { readonly name: string; readonly uri?: string | undefined } | undefined
}

export interface LogoutPage {
  readonly action: string
  readonly xsrf: string
  readonly client?: { readonly name: string } | undefined
  readonly userId: string
  /** The request carried an ID token of this very session, so nobody needs to be asked. */
  readonly confirmed: boolean
  /** Where the browser goes afterwards, for the page's form-action. */
  readonly returnsTo?: string | undefined
}

/** What happens inside the library; recorded by whoever listens. */
export interface ProviderEvents {
  tokensIssued(
    ctx: Context,
    event: {
      readonly grantType: string
      readonly clientId?: string | undefined
      readonly userId?: string | undefined
    },
  ): void
  tokenRefused(
    ctx: Context,
    event: {
      readonly error: string
      readonly detail?: string | undefined
      readonly clientId?: string | undefined
    },
  ): void
  loggedOut(
    ctx: Context,
    event: { readonly userId?: string | undefined; readonly clientId?: string | undefined },
  ): void
  grantRevoked(ctx: Context, event: { readonly clientId?: string | undefined }): void
  failed(ctx: Context | undefined, error: unknown): void
}
