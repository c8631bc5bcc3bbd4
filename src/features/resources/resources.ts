import type { ResourceId } from '../../kernel/ids.ts'
import type { ResourceScope, TokenAlgorithm, TokenFormat } from './definition.ts'
import type { ResourceProtocol } from './protocol.ts'

/** A registered API as the protocol needs it. Frozen, as many requests share one. */
export interface ApiResource extends ResourceProtocol {
  readonly id: ResourceId
  /** The audience of its access tokens, exactly as clients ask for it (RFC 8707 §2). */
  readonly indicator: string
  readonly name: string
  readonly scopes: readonly ResourceScope[]
  /** The client_id of each client that may introspect tokens for it, beside the client that holds them. */
  readonly introspectors: readonly string[]
  readonly tokenFormat: TokenFormat
  readonly tokenAlgorithm: TokenAlgorithm
  readonly accessTokenTtlSeconds: number
  readonly disabledAt: Date | undefined
}

/** What the protocol asks about APIs. */
export interface Resources {
  /** Compares character by character. Disabled ones too; ask `isActive` before anything is issued. */
  findByIndicator(indicator: string): Promise<ApiResource | undefined>
  isActive(resource: ApiResource): boolean
}

export const isActive = (resource: ApiResource): boolean => resource.disabledAt === undefined

/** What administrators decide about an API. */
export type ResourceDraft = Omit<ApiResource, 'id' | 'disabledAt'>

export interface StoredResource extends ApiResource {
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** An API as administrators see it. */
export interface ResourceItem extends Omit<StoredResource, 'disabledAt' | 'createdAt' | 'updatedAt'> {
  readonly state: 'active' | 'disabled'
  /** ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}

export function itemOf({ disabledAt, createdAt, updatedAt, ...rest }: StoredResource): ResourceItem {
  return {
    ...rest,
    state: disabledAt === undefined ? 'active' : 'disabled',
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}
