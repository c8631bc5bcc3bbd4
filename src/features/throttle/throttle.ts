import { AppError } from '../../kernel/errors.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'

/** Whose attempt it is, as far as anybody knows before it is verified. */
export interface Subject {
  /**
   * The account in canonical form, as it was typed. Not the user it leads to: a counter shared by somebody's address
   * and user name would tell strangers that both are his.
   */
  readonly account: string
  /** Only for recognising a known device. */
  readonly userId?: string
  /** The identifier of the device cookie, its seal verified. */
  readonly device?: string
  readonly address: string
  /**
   * Something else than a password: only a browser in which the same kind was proven before is known then. Whoever has
   * stolen a password makes any browser one in which the password was proven, and would get a new allowance with each.
   */
  readonly kind?: 'second-factor' | 'mailed-code'
  /**
   * What somebody asks for who proves nothing by it, such as a mail. It is counted apart, so that nobody is kept from
   * signing in for it, and for an account by address, so that strangers elsewhere take nothing from its owner.
   */
  readonly asking?: 'email-code' | 'reset' | 'registration' | 'device-code'
}

/** An attempt that is counted as failed until it is said to have succeeded. */
export interface Admission {
  /** The device is known as the user's. */
  readonly isKnown: boolean
  /** Takes the count back, forgets the failures of the account and device, and remembers the device as the user's. */
  succeeded(userId: string): Promise<void>
  /** Takes the count back and changes nothing else: the attempt was never verified. */
  withdraw(): Promise<void>
}

export interface Throttle {
  /**
   * Counts an attempt before it is verified, in a write of its own that no later failure undoes. A known device has an
   * allowance of its own and depends on nothing else, so strangers cannot lock out its owner; any other attempt counts
   * against the account and the address. Throws `throttle.too_many_attempts` (429) without counting it for the account.
   */
  admit(subject: Subject): Promise<Admission>
  /**
   * What was asked for was put to its use by this user: asking for it once counts as little as an attempt that succeeded,
   * and the device is his from then on.
   */
  answered(subject: Subject, userId: string): Promise<void>
  /** A browser has a new device identifier: it stays known to those who have used it. */
  deviceRenamed(db: DatabaseTransaction, from: string, to: string): Promise<void>
}

/** How failures under one key turn into waits. */
export interface Policy {
  /** Failures until the first wait. */
  readonly allowance: number
  readonly firstWaitSeconds: number
  readonly maximumWaitSeconds: number
  readonly forgetSeconds: number
}

export const tooManyAttempts = (retryAfterSeconds: number): AppError =>
  new AppError(
    'throttle.too_many_attempts',
    429,
    'There were too many failed attempts. Wait before the next one.',
    { retryAfterSeconds, params: { minutes: Math.ceil(retryAfterSeconds / 60) } },
  )
