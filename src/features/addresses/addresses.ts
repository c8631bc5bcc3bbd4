import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { RequestFacts } from '../../kernel/http.ts'
import type { UserId } from '../../kernel/ids.ts'
import { mailedCodeDigits } from '../../kernel/mailed-codes.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Kept } from '../feature.ts'
import type { User } from '../users/index.ts'

/** An address that waits for its proof: the user's own, or one that is to take its place. */
export interface PendingAddress {
  readonly email: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** Who asks, and where he types the code: in a session, or in the sign-in that is the `owner`. */
export interface Asker {
  readonly userId: UserId
  /** The owner of what is remembered: the code works nowhere else. */
  readonly owner: string
  readonly sessionUid?: string
  readonly request: RequestFacts
  readonly locale: string
}

/** What a link leads to. */
export interface AddressLink {
  readonly user: User
  readonly email: string
  /** It takes the place of another one. */
  readonly isChange: boolean
}

/** A change of somebody’s address, by whomever. */
export interface AddressChanged {
  readonly before: User
  readonly after: User
  readonly request?: RequestFacts
  readonly keep?: Kept
}

/** The proof that an address is somebody’s, and the change of one. */
export interface Addresses {
  /** Whether codes can be mailed at all. */
  readonly available: boolean
  find(userId: UserId): Promise<PendingAddress | undefined>
  /** Whether a code that could be typed here was sent. */
  isCodeSent(asker: Pick<Asker, 'userId' | 'owner'>): Promise<boolean>
  /**
   * Mails a code and link that confirm the user's own address; what was mailed before ends. Throws
   * `addresses.nothing_to_confirm` (409), `addresses.asked_too_soon` (429) and, where his session or sign-in was ended
   * since, `attempts.ended` (409).
   */
  askToVerify(asker: Asker): Promise<void>
  /**
   * Mails a code and link to the address that is wanted, and tells the present one at once. One that somebody else has
   * looks the same, but its owner is told instead. Throws `users.email_invalid` (400), `addresses.same` (409),
   * `addresses.asked_too_soon` (429) and `attempts.ended` (409).
   */
  askToChange(asker: Asker, email: string): Promise<void>
  /** Sends what is pending once more, with another code and link. Throws what `askToVerify` throws. */
  askAgain(asker: Asker): Promise<void>
  /**
   * Throws `addresses.code_incomplete` (400), `addresses.wrong_code` (401), `addresses.code_ended` (410) and, where the
   * address was given to somebody else meanwhile, `addresses.taken` (409).
   */
  confirmByCode(asker: Asker, code: string): Promise<User>
  /** Throws `addresses.link_ended` (410). */
  readLink(token: string): Promise<AddressLink>
  /** Throws what `readLink` throws, and `addresses.taken`. */
  confirmByLink(token: string, request: RequestFacts): Promise<AddressLink>
  /** Forgets what is pending. */
  cancel(asker: Pick<Asker, 'userId' | 'owner' | 'request'>): Promise<void>
  /** Ends a change of address that waits for its proof, but not the proof of the user's own address. */
  endPending(db: DatabaseTransaction, userId: string): Promise<void>
  /** An address was changed, by whomever: ends what was mailed for it and what is signed in, and tells both addresses. */
  changed(db: DatabaseTransaction, change: AddressChanged): Promise<void>
}

/** Under which the code is remembered (`attempts`). */
export const codePurpose = 'addresses.code'
/** Of the outbox. */
export const topic = 'addresses.send'

/** What is remembered where the code is typed. */
export interface SentCode {
  readonly code: string
  readonly tokenHash: string
}

/** The work that follows an answer which is the same whether somebody else has the address or not. */
export interface ProofToSend {
  readonly userId: UserId
  readonly email: string
  readonly isChange: boolean
  readonly token: string
  readonly code: string
  readonly locale: string
}

export const sameAddress = (): AppError =>
  new AppError('addresses.same', 409, 'This is the address of the account already.', { field: 'email' })

export const nothingToConfirm = (): AppError =>
  new AppError('addresses.nothing_to_confirm', 409, 'There is no address that waits to be confirmed.')

export const askedTooSoon = (retryAfterSeconds: number): AppError =>
  new AppError('addresses.asked_too_soon', 429, 'A mail was sent a moment ago. Wait before the next one.', {
    retryAfterSeconds,
    params: { seconds: retryAfterSeconds },
  })

export const codeIncomplete = (): AppError =>
  invalidInput('addresses.code_incomplete', `Type the ${mailedCodeDigits} digits of the code.`, {
    field: 'code',
    params: { digits: mailedCodeDigits },
  })

export const wrongCode = (): AppError =>
  new AppError('addresses.wrong_code', 401, 'This is not the code that was sent. Check it and try again.', {
    field: 'code',
  })

export const codeEnded = (): AppError =>
  new AppError('addresses.code_ended', 410, 'This code no longer works. Have another one sent.')

export const linkEnded = (): AppError =>
  new AppError('addresses.link_ended', 410, 'This link no longer works. Have another one sent.')

export const addressTaken = (): AppError =>
  new AppError('addresses.taken', 409, 'Another account has this address by now.')

export const mailUnavailable = (): AppError =>
  new AppError('addresses.mail_unavailable', 409, 'No mail can be sent, so no address can be confirmed.')
