import { AppError } from '../../kernel/errors.ts'
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

/** Where a person does something: in a sign-in where that is given, else in a session. */
export interface Place {
  /** By its `id` here. */
  readonly attempt?: string | undefined
  readonly sessionUid?: string | undefined
}

/** What a sign-in stood on when its next proof was asked for. */
export interface Upon {
  /** Whom it was about. */
  readonly userId?: UserId | undefined
  /** The session that stands for an earlier proof. */
  readonly sessionUid?: string | undefined
}

/** What the server remembers of sign-ins under way. */
export interface Attempts {
  /** Nothing where nothing was proven yet. */
  find(id: string): Promise<StoredAttempt>
  /**
   * Stands for the last time that the sign-ins of a user were ended. Whoever checks a proof of his asks before, and hands it
   * over with the proof.
   */
  epochOf(userId: string, db?: DatabaseTransaction): Promise<string>
  /**
   * Adds a proof, unless another request added one meanwhile that is about somebody else; then, as for every proof about
   * another person than the first, all that was proven before is forgotten. Throws `attempts.ended` (409) where what it stood upon,
   * or the sign-ins of whom the proof is about, were ended since.
   */
  add(id: string, proof: Proof, upon?: Upon): Promise<StoredAttempt>
  pass(id: string, interlude: string): Promise<StoredAttempt>
  /**
   * Whether what was proven in a sign-in still counts. It does from the first proof until long after the session is
   * written, unless somebody ends it: whatever comes of a sign-in asks, in the transaction that makes it, and with the user
   * locked.
   */
  stands(db: DatabaseTransaction, id: string, userId: string): Promise<boolean>
  /**
   * For what a person does in a session or sign-in, in the transaction that does it, and with the user locked. Throws
   * `attempts.ended` where somebody has ended it since the request came.
   */
  requireOpen(db: DatabaseTransaction, userId: string, place: Place): Promise<void>
  /** All is proven: nothing more is waited for. False where it was ended since it was read. */
  settle(id: string, userId: string): Promise<boolean>
  /** Every sign-in under way and everything remembered for a user, but for what belongs to these owners. */
  endOfUser(db: DatabaseTransaction, userId: string, but?: readonly string[]): Promise<void>
}

/** Told to whoever goes on with what was ended while his request was under way. */
export const ended = (): AppError =>
  new AppError(
    'attempts.ended',
    409,
    'This ended while it was under way, as the account was changed or signed out elsewhere. Sign in again.',
  )
