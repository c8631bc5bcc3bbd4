import type { UserId } from '../../kernel/ids.ts'

/** What is remembered between the two halves of a proof or an enrolment. */
export interface Challenge {
  readonly userId?: UserId
  /** JSON; only what its owner put there. */
  readonly state: unknown
  readonly expiresAt: Date
}

export interface NewChallenge {
  readonly userId?: UserId
  readonly state: unknown
  readonly ttlSeconds: number
}

/** One challenge per owner (an attempt's or a holder's `id`) and purpose (`<feature>.<what>`). */
export interface Challenges {
  /** Remembers it in place of the one that was there. */
  put(owner: string, purpose: string, challenge: NewChallenge): Promise<void>
  /** `undefined` once it has expired, was taken or has failed too often. */
  find(owner: string, purpose: string): Promise<Challenge | undefined>
  /** Gives it to exactly one of all callers; it is gone afterwards. */
  take(owner: string, purpose: string): Promise<Challenge | undefined>
  /**
   * Counts an answer before it is looked at, and gives the challenge to at most `limit` callers. The right answer then
   * `take`s it.
   */
  attempt(owner: string, purpose: string, limit: number): Promise<Challenge | undefined>
  end(owner: string, purpose: string): Promise<void>
}
