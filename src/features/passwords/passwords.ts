import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { Actor, RequestFacts } from '../../kernel/http.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { User } from '../users/index.ts'
import type { PasswordHash } from './hashing.ts'
import type { Known } from './policy.ts'

export interface PasswordLinkIssued {
  /** `<issuer>/set-password?token=…`; shown once, stored only as a hash. */
  readonly url: string
  readonly expiresAt: Date
}

export type LinkPurpose = 'invitation' | 'reset'

export interface LinkRequest {
  readonly actor: Actor
  readonly request?: RequestFacts
  /** The transaction it belongs to, where it is part of a larger change. */
  readonly db?: DatabaseTransaction
}

export interface Choice {
  readonly token: string
  readonly password: string
  readonly request?: RequestFacts
}

export interface Passwords {
  /** In characters, for the hint beside the field. */
  readonly minimumLength: number
  /**
   * Checks a chosen password and hashes it, which takes its time and belongs before a transaction. Throws
   * `passwords.too_short`, `too_long`, `malformed`, `common`, `personal` (400) and `passwords.busy` (503).
   */
  prepare(password: string, known: Known): Promise<PasswordHash>
  /** Gives the user this password, in the transaction of whatever proved that it may be. */
  set(db: DatabaseTransaction, userId: string, hash: PasswordHash): Promise<void>
  /** A one-time link on which the person chooses a password; earlier links end. The present password stays until then. */
  issueLink(userId: string, purpose: LinkPurpose, by: LinkRequest): Promise<PasswordLinkIssued>
  /** Whose link it is; `undefined` for one that is unknown, used or expired, or whose user is disabled. */
  readLink(token: string): Promise<User | undefined>
  /**
   * Sets the password and, in the same transaction, consumes the link, ends the user's other links and everything he
   * has open. The link alone says who it is for. Throws `passwords.link_invalid` (410) and what `prepare` throws.
   */
  chooseByLink(choice: Choice): Promise<User>
}

/** The same for an unknown user, a wrong password, a disabled user and a user without a password. */
export const invalidCredentials = (): AppError =>
  new AppError(
    'passwords.invalid_credentials',
    401,
    'This account and password do not match. Check both and try again.',
  )

export const linkInvalid = (): AppError =>
  new AppError(
    'passwords.link_invalid',
    410,
    'This link has expired or was used already. Ask your administrator for a new one.',
  )

export const malformedInput = (cause: unknown): AppError =>
  invalidInput(
    'passwords.invalid_input',
    'Give an e-mail address or user name, and a password of at most 1024 bytes.',
    {
      cause,
    },
  )
