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

export const linkPurposes = ['invitation', 'reset'] as const
export type LinkPurpose = (typeof linkPurposes)[number]

export interface LinkRequest {
  readonly actor: Actor
  readonly request?: RequestFacts
  /** The transaction it belongs to, where it is part of a larger change. */
  readonly db?: DatabaseTransaction
  /** Sends it to the address of the person, in the same transaction. */
  readonly mail?: boolean
  /** BCP 47, of the mail to a person who has chosen no language. */
  readonly locale?: string
}

export interface Choice {
  readonly token: string
  readonly password: string
  readonly request?: RequestFacts
}

/** Somebody who says that he has forgotten the password of an account. */
export interface ResetRequest {
  /** An e-mail address or a user name, as it was typed. */
  readonly identifier: string
  readonly request: RequestFacts
  /** BCP 47; for a person who has chosen no language. */
  readonly locale: string
}

export interface Passwords {
  /** In characters, for the hint beside the field. */
  readonly minimumLength: number
  /** Whether people are sent a link with which they choose another one; without mail only an administrator makes it. */
  readonly resetsByMail: boolean
  /**
   * Checks a chosen password and hashes it, which takes its time and belongs before a transaction. Throws
   * `passwords.too_short`, `too_long`, `malformed`, `common`, `personal` (400) and `passwords.busy` (503).
   */
  prepare(password: string, known: Known): Promise<PasswordHash>
  /** Gives the user this password, in the transaction of whatever proved that it may be. */
  set(db: DatabaseTransaction, userId: string, hash: PasswordHash): Promise<void>
  /**
   * A one-time link on which the person chooses a password; earlier links end. The present password stays until then.
   * Throws, where it is to be mailed, `passwords.no_mail` and `passwords.no_address` (409).
   */
  issueLink(userId: string, purpose: LinkPurpose, by: LinkRequest): Promise<PasswordLinkIssued>
  /** Ends every link of the user, mailed or not. */
  endLinks(db: DatabaseTransaction, userId: string): Promise<void>
  /** Whose link it is; `undefined` for one that is unknown, used or expired, or whose user is disabled. */
  readLink(token: string): Promise<User | undefined>
  /**
   * Sets the password and, in the same transaction, consumes the link, ends the user's other links and everything he
   * has open, forgets trusted devices, and tells him. What else he signs in with stays, and he is not signed in by it. The
   * link alone says who it is for. Throws `passwords.link_invalid` (410) and what `prepare` throws.
   */
  chooseByLink(choice: Choice): Promise<User>
  /**
   * Does the same for every account, known or not, and answers nothing; the link is made and mailed afterwards. Throws
   * `passwords.identifier_missing` (400), `passwords.no_mail` (409) and `throttle.too_many_attempts` (429).
   */
  requestReset(request: ResetRequest): Promise<void>
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

export const presentWrong = (): AppError =>
  invalidInput('passwords.present_wrong', 'This is not your present password. Check it and try again.', {
    field: 'present',
  })

export const changedMeanwhile = (): AppError =>
  new AppError('passwords.changed_meanwhile', 409, 'The password was changed at the same time. Try again.')

export const lastWay = (): AppError =>
  new AppError(
    'passwords.last_way',
    409,
    'Without the password there would be no way to sign in to this account. Add another one first.',
  )

export const identifierMissing = (): AppError =>
  invalidInput('passwords.identifier_missing', 'Give an e-mail address or user name.', {
    field: 'identifier',
  })

export const noAddress = (): AppError =>
  new AppError(
    'passwords.no_address',
    409,
    'This person has no e-mail address. Give the link to him in another way.',
  )

export const noMail = (): AppError =>
  new AppError(
    'passwords.no_mail',
    409,
    'No mail can be sent from here. Ask your administrator for a link with which you choose a new password.',
  )
