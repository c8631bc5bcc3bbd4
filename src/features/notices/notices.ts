import type { RequestFacts } from '../../kernel/http.ts'
import type { TextParams } from '../../kernel/text.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Kept } from '../feature.ts'

/** Something that was changed in how a person signs in or is reached. */
export interface AccountChange {
  readonly userId: string
  /** The message `notice.<what>` says it in the mail: `password-changed`. */
  readonly what: string
  readonly params?: TextParams
  readonly request?: RequestFacts
  /** The addresses to tell; the user's own where absent. After a change of address: the old one, too. */
  readonly to?: readonly string[]
  /** The language of the page on which it happened, for who has chosen none. */
  readonly locale?: string
  /** What stays signed in; nothing where absent. */
  readonly keep?: Kept
  /** The session or sign-in in which it was asked for, which must not have been ended since; `keep` where absent. */
  readonly madeIn?: Kept
}

/** What follows from a change on somebody’s account. */
export interface Notices {
  /** Tells the owner by mail, where he has an address and mail can be sent. */
  tell(db: DatabaseTransaction, change: Omit<AccountChange, 'keep' | 'madeIn'>): Promise<void>
  /**
   * A change of credentials (ASVS 7.4.3): ends every other session, the tokens given in them, and pending sign-ins,
   * forgets trusted devices, ends a change of address that waits for its proof, and tells the owner. Throws
   * `attempts.ended` (409) where what it is made in was itself ended while the request was under way.
   */
  credentialsChanged(db: DatabaseTransaction, change: AccountChange): Promise<void>
}
