import type { UserId } from '../../kernel/ids.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Proof } from '../feature.ts'

/** What the server knows of a sign-in under way. */
export interface StoredAttempt {
  readonly userId: UserId | undefined
  readonly proofs: readonly Proof[]
  /** The interludes that are over. */
  readonly passed: readonly string[]
}

/** What the server remembers of sign-ins under way. */
export interface Attempts {
  /** Nothing where nothing was proven yet. */
  find(id: string): Promise<StoredAttempt>
  /**
   * Adds a proof, unless another request added one meanwhile that is about somebody else; then, as for every proof about
   * another person than the first, all that was proven before is forgotten.
   */
  add(id: string, proof: Proof): Promise<StoredAttempt>
  pass(id: string, interlude: string): Promise<StoredAttempt>
  end(id: string): Promise<void>
  /** Every sign-in under way and everything remembered for a user, but for what belongs to these owners. */
  endOfUser(db: DatabaseTransaction, userId: string, but?: readonly string[]): Promise<void>
}
