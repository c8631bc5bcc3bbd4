import { timingSafeEqual } from 'node:crypto'
import { type ClientId, hashSecret } from '../../kernel/ids.ts'
import type { Level } from '../../kernel/levels.ts'
import type { PublicJwks } from '../../kernel/public-keys.ts'
import type { Authentication, ClientKind, GrantType, IdTokenAlgorithm } from './kinds.ts'
import type { Protocol } from './protocol/protocol.ts'

export interface ClientSecret {
  /** SHA-256 of the secret, base64url. */
  readonly hash: string
  readonly expiresAt: Date | undefined
}

/** Who made a client: an administrator, itself (RFC 7591), or nobody, as a document of its own describes it. */
export const origins = ['administrator', 'registration', 'document'] as const
export type Origin = (typeof origins)[number]

/** A client as the protocol needs it. Frozen, as many requests share one. */
export interface Client extends Protocol {
  readonly id: ClientId
  readonly name: string
  readonly kind: ClientKind
  /** Ours: people are not asked whether it may have what it asks for. */
  readonly firstParty: boolean
  readonly logoUri: string | undefined
  readonly clientUri: string | undefined
  readonly policyUri: string | undefined
  readonly tosUri: string | undefined
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly grantTypes: readonly GrantType[]
  readonly scopes: readonly string[]
  readonly authentication: Authentication
  readonly jwks: PublicJwks | undefined
  readonly jwksUri: string | undefined
  readonly idTokenAlgorithm: IdTokenAlgorithm
  /** What must be proven to sign in to it, where that is more than the server demands. */
  readonly requiredLevel: Level | undefined
  readonly origin: Origin
  /** The fields that administrators have set of a client that came by itself. */
  readonly administered?: readonly string[] | undefined
  readonly disabledAt: Date | undefined
  readonly secrets: readonly ClientSecret[]
}

/** What administrators decide about a client. */
export type ClientDraft = Omit<Client, 'id' | 'secrets' | 'disabledAt' | 'origin'>

/** What the protocol asks about clients. */
export interface Clients {
  /** Disabled ones too; ask `isActive` before anything is issued. `address` is that of whoever names it. */
  find(id: string, address?: string): Promise<Client | undefined>
  isActive(client: Client): boolean
  /** Those that authenticate by tokens of trusted issuers, disabled ones too. */
  listFederated(): Promise<readonly Client[]>
  /** Whether `presented` is one of the client's secrets that has not expired at `now`. */
  verifySecret(client: Client, presented: string, now: Date): boolean
}

export const isActive = (client: Client): boolean => client.disabledAt === undefined

/** Compares with every secret, so that the time tells neither which one matched nor how far. */
export function verifySecret(client: Client, presented: string, now: Date): boolean {
  const digest = Buffer.from(hashSecret(presented), 'base64url')
  let matches = false
  for (const { hash, expiresAt } of client.secrets) {
    const stored = Buffer.from(hash, 'base64url')
    const equal = stored.length === digest.length && timingSafeEqual(stored, digest)
    const valid = expiresAt === undefined || expiresAt > now
    matches = (equal && valid) || matches
  }
  return matches
}
