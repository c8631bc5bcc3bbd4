import type { ClientId } from '../../kernel/ids.ts'
import type { Level } from '../../kernel/levels.ts'
import type { PublicJwks } from '../../kernel/public-keys.ts'
import type { Client, ClientDraft, ClientSecret, Origin } from './client.ts'
import type { Authentication, ClientKind, GrantType, IdTokenAlgorithm } from './kinds.ts'
import { effectOf } from './profile-effect.ts'
import { type Protocol, protocolOf } from './protocol/protocol.ts'

export interface StoredSecret extends ClientSecret {
  readonly id: string
  readonly label: string | undefined
  readonly createdAt: Date
}

export interface StoredClient extends Omit<Client, 'secrets'> {
  readonly secrets: readonly StoredSecret[]
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface ClientRow {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly firstParty: boolean
  readonly logoUri: string | null
  readonly clientUri: string | null
  readonly policyUri: string | null
  readonly tosUri: string | null
  readonly redirectUris: string
  readonly postLogoutRedirectUris: string
  readonly allowedOrigins: string
  readonly grantTypes: string
  readonly scopes: string
  readonly authentication: string
  readonly jwks: string | null
  readonly jwksUri: string | null
  readonly idTokenAlgorithm: string
  readonly requiredLevel: string | null
  readonly protocol: string
  readonly origin: string
  readonly disabledAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly secrets: readonly SecretRow[]
}

interface SecretRow {
  readonly id: string
  readonly label: string | null
  readonly hash: string
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

export const readProtocol = (column: string): Protocol & Pick<Client, 'administered'> =>
  JSON.parse(column) as Protocol & Pick<Client, 'administered'>

/** The types of what this feature itself wrote are taken for granted. */
export function readRow(row: ClientRow): StoredClient {
  return {
    ...readProtocol(row.protocol),
    id: row.id as ClientId,
    name: row.name,
    kind: row.kind as ClientKind,
    firstParty: row.firstParty,
    logoUri: row.logoUri ?? undefined,
    clientUri: row.clientUri ?? undefined,
    policyUri: row.policyUri ?? undefined,
    tosUri: row.tosUri ?? undefined,
    redirectUris: JSON.parse(row.redirectUris) as string[],
    postLogoutRedirectUris: JSON.parse(row.postLogoutRedirectUris) as string[],
    allowedOrigins: JSON.parse(row.allowedOrigins) as string[],
    grantTypes: JSON.parse(row.grantTypes) as GrantType[],
    scopes: JSON.parse(row.scopes) as string[],
    authentication: row.authentication as Authentication,
    jwks: row.jwks === null ? undefined : (JSON.parse(row.jwks) as PublicJwks),
    jwksUri: row.jwksUri ?? undefined,
    idTokenAlgorithm: row.idTokenAlgorithm as IdTokenAlgorithm,
    origin: row.origin as Origin,
    requiredLevel: (row.requiredLevel ?? undefined) as Level | undefined,
    disabledAt: row.disabledAt ?? undefined,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    secrets: row.secrets.map(({ id, label, hash, createdAt, expiresAt }) => ({
      id,
      label: label ?? undefined,
      hash,
      createdAt,
      expiresAt: expiresAt ?? undefined,
    })),
  }
}

/** The columns of a draft. Every column is written, so that nothing of an earlier draft remains. */
export const writeRow = (draft: ClientDraft) => ({
  name: draft.name,
  kind: draft.kind,
  firstParty: draft.firstParty,
  logoUri: draft.logoUri ?? null,
  clientUri: draft.clientUri ?? null,
  policyUri: draft.policyUri ?? null,
  tosUri: draft.tosUri ?? null,
  redirectUris: JSON.stringify(draft.redirectUris),
  postLogoutRedirectUris: JSON.stringify(draft.postLogoutRedirectUris),
  allowedOrigins: JSON.stringify(draft.allowedOrigins),
  grantTypes: JSON.stringify(draft.grantTypes),
  scopes: JSON.stringify(draft.scopes),
  authentication: draft.authentication,
  jwks: draft.jwks === undefined ? null : JSON.stringify(draft.jwks),
  jwksUri: draft.jwksUri ?? null,
  idTokenAlgorithm: draft.idTokenAlgorithm,
  requiredLevel: draft.requiredLevel ?? null,
  protocol: JSON.stringify({ ...protocolOf(draft), administered: draft.administered }),
})

/** What many requests share, so that none of them changes it for the others; with what its profile demands. */
export function freezeClient(stored: StoredClient): Client {
  const { createdAt, updatedAt, secrets, ...client } = stored
  return deepFreeze({
    ...client,
    ...effectOf(client),
    secrets: secrets.map(({ hash, expiresAt }) => ({ hash, expiresAt })),
  })
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !(part instanceof Date)) deepFreeze(part)
  }
  return Object.freeze(value)
}
