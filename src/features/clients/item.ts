import type { StoredClient } from './rows.ts'

/** A client as administrators see it: no secret and no hash of one. */
export interface ClientItem
  extends Omit<
    StoredClient,
    'secrets' | 'administered' | 'disabledAt' | 'createdAt' | 'updatedAt' | Nullable
  > {
  readonly state: 'active' | 'disabled'
  readonly logoUri: string | null
  readonly clientUri: string | null
  readonly policyUri: string | null
  readonly tosUri: string | null
  readonly jwks: StoredClient['jwks'] | null
  readonly jwksUri: string | null
  readonly requiredLevel: StoredClient['requiredLevel'] | null
  readonly secrets: readonly SecretItem[]
  /** ISO 8601, as the other instants. */
  readonly createdAt: string
  readonly updatedAt: string
}

type Nullable = 'logoUri' | 'clientUri' | 'policyUri' | 'tosUri' | 'jwks' | 'jwksUri' | 'requiredLevel'

interface SecretItem {
  readonly id: string
  readonly label: string | null
  readonly createdAt: string
  readonly expiresAt: string | null
}

export function itemOf(client: StoredClient): ClientItem {
  const { administered, disabledAt, createdAt, updatedAt, secrets, ...rest } = client
  return {
    ...rest,
    state: disabledAt === undefined ? 'active' : 'disabled',
    logoUri: rest.logoUri ?? null,
    clientUri: rest.clientUri ?? null,
    policyUri: rest.policyUri ?? null,
    tosUri: rest.tosUri ?? null,
    jwks: rest.jwks ?? null,
    jwksUri: rest.jwksUri ?? null,
    requiredLevel: rest.requiredLevel ?? null,
    secrets: secrets.map(({ id, label, createdAt, expiresAt }) => ({
      id,
      label: label ?? null,
      createdAt: createdAt.toISOString(),
      expiresAt: expiresAt?.toISOString() ?? null,
    })),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}
