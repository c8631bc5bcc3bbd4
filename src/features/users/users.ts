import { AppError, invalidInput, notFound } from '../../kernel/errors.ts'
import type { Actor, RequestFacts } from '../../kernel/http.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Kept } from '../feature.ts'

/** A person with an account. */
export interface User {
  readonly id: UserId
  /** As it was given; `emailKey` is the form that is unique. */
  readonly email: string | null
  readonly emailVerified: boolean
  readonly username: string | null
  readonly name: string | null
  readonly givenName: string | null
  readonly familyName: string | null
  /** BCP 47, such as `de-AT`. */
  readonly locale: string | null
  /** IANA, such as `Europe/Vienna`. */
  readonly zoneinfo: string | null
  readonly administrator: boolean
  readonly disabledAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What may be set of a person; `null` clears. E-mail and user name are checked here, so any text may be given. */
export interface UserDetails {
  readonly email?: string | null
  readonly emailVerified?: boolean
  readonly username?: string | null
  readonly name?: string | null
  readonly givenName?: string | null
  readonly familyName?: string | null
  readonly locale?: string | null
  readonly zoneinfo?: string | null
}

export interface NewUser extends UserDetails {
  readonly administrator?: boolean
}

/** Who makes a change, for the record, and the transaction it belongs to where it is part of a larger one. */
export interface Change {
  readonly actor: Actor
  readonly request?: RequestFacts
  readonly db?: DatabaseTransaction
  /** What stays signed in where the change ends everything else. */
  readonly keep?: Kept
}

export interface Users {
  /** `undefined` for an unknown or deleted user, and for text that is no identifier at all. */
  find(id: string): Promise<User | undefined>
  /** Throws `users.not_found` (404). */
  get(id: string): Promise<User>
  /** By e-mail address or user name, however it is written; `undefined` for text that can be neither. */
  findByIdentifier(text: string): Promise<User | undefined>
  /** By identifier, e-mail address or user name. */
  findByKey(key: string): Promise<User | undefined>
  /** As `findByKey`. Throws `users.not_found` (404). */
  getByKey(key: string): Promise<User>
  /** The canonical form of what somebody typed as his identifier; under it his attempts are counted, known or not. */
  canonicalIdentifier(text: string): string
  /** An address as it is shown, and the form under which it is unique. Throws `users.email_invalid` (400). */
  parseEmail(text: string): { readonly shown: string; readonly key: string }
  /** Whether the user may sign in and be served: there, and not disabled. */
  isActive(user: User | undefined): user is User
  /** The user's half of the gate before every issuance, answered from the database or a copy known to be current. */
  mayIssue(id: string): Promise<boolean>
  /**
   * Throws `users.email_invalid`, `users.username_invalid`, `users.identifier_missing` (400), `users.email_taken` and
   * `users.username_taken` (409).
   */
  create(user: NewUser, change: Change): Promise<User>
  /** Throws what `create` throws, and `users.not_found`. */
  update(id: string, details: UserDetails, change: Change): Promise<User>
  /** Ends everything the user has open, in the same transaction. Throws `users.last_administrator` (409). */
  disable(id: string, change: Change): Promise<User>
  enable(id: string, change: Change): Promise<User>
  /** As `disable`, and forgets the user. */
  delete(id: string, change: Change): Promise<void>
  /** Throws `users.last_administrator` (409) where nobody active would be left to administrate. */
  setAdministrator(id: string, administrator: boolean, change: Change): Promise<User>
  /** Disabled ones count too, unless only the active ones are asked for. */
  countAdministrators(db?: DatabaseTransaction, only?: 'active'): Promise<number>
}

export const isActive = (user: User | undefined): user is User =>
  user !== undefined && user.disabledAt === null

export const userNotFound = (): AppError => notFound('users.not_found', 'There is no such user.')

export const emailInvalid = (): AppError =>
  invalidInput('users.email_invalid', 'This is not an e-mail address. Write it like name@example.com.', {
    field: 'email',
  })

export const usernameInvalid = (): AppError =>
  invalidInput(
    'users.username_invalid',
    'A user name has 2 to 64 letters, digits, dots, hyphens and underscores, begins with a letter or digit and does not mix alphabets.',
    { field: 'username' },
  )

export const identifierMissing = (): AppError =>
  invalidInput('users.identifier_missing', 'A user needs an e-mail address or a user name to sign in with.', {
    field: 'email',
  })

export const emailTaken = (): AppError =>
  new AppError('users.email_taken', 409, 'Another user already has this e-mail address.', { field: 'email' })

export const usernameTaken = (): AppError =>
  new AppError('users.username_taken', 409, 'Another user already has this user name.', { field: 'username' })

export const lastAdministrator = (): AppError =>
  new AppError(
    'users.last_administrator',
    409,
    'This is the last active administrator. Make another user an administrator first.',
  )
