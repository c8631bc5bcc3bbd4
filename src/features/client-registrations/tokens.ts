import { after, type Clock } from '../../kernel/clock.ts'
import { notFound } from '../../kernel/errors.ts'
import { commandLineActor } from '../../kernel/http.ts'
import { hashSecret, newId, newSecret } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Policy } from './policy.ts'
import type { RegistrationStore, StoredToken } from './store.ts'

const secondsPerDay = 86_400

export interface TokenItem {
  readonly id: string
  readonly label: string | null
  readonly usesLeft: number | null
  readonly expiresAt: string
  readonly expired: boolean
  readonly policy: unknown
}

export interface NewToken {
  readonly label?: string | undefined
  readonly uses?: number | undefined
  readonly expiresInDays: number
  readonly policy: Policy
}

export interface InitialAccessTokens {
  /** The token's value is in the answer and nowhere else. */
  create(token: NewToken): Promise<{ readonly item: TokenItem; readonly token: string }>
  list(): Promise<readonly TokenItem[]>
  /** Throws `client-registrations.unknown_token` (404). Clients that it let in stay. */
  revoke(id: string): Promise<void>
}

interface TokenDependencies {
  readonly storage: Storage
  readonly store: RegistrationStore
  readonly clock: Clock
  readonly audit: Audit
}

export function openInitialAccessTokens({
  storage,
  store,
  clock,
  audit,
}: TokenDependencies): InitialAccessTokens {
  const itemOf = ({ id, label, usesLeft, expiresAt, policy }: StoredToken): TokenItem => ({
    id,
    label: label ?? null,
    usesLeft: usesLeft ?? null,
    expiresAt: expiresAt.toISOString(),
    expired: expiresAt <= clock.now(),
    policy: JSON.parse(policy),
  })
  const happened = (what: string, tokenId: string) => ({
    action: `client-registrations.${what}`,
    outcome: 'success' as const,
    actor: commandLineActor,
    detail: { tokenId },
  })

  return {
    async create({ label, uses, expiresInDays, policy }) {
      const token = newSecret()
      const createdAt = clock.now()
      const stored: StoredToken = {
        id: newId(),
        label,
        policy: JSON.stringify(policy),
        usesLeft: uses,
        createdAt,
        expiresAt: after(createdAt, expiresInDays * secondsPerDay),
      }
      await storage.transaction(async (db) => {
        await store.insertToken(db, stored, hashSecret(token))
        await audit.recordIn(db, happened('token_created', stored.id))
      })
      return { item: itemOf(stored), token }
    },

    list: async () => (await store.listTokens()).map(itemOf),

    revoke: (id) =>
      storage.transaction(async (db) => {
        if (!(await store.removeToken(db, id)))
          throw notFound(
            'client-registrations.unknown_token',
            `There is no token ${id}. List them to see those there are.`,
          )
        await audit.recordIn(db, happened('token_revoked', id))
      }),
  }
}
