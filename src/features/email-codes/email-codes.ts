import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import { mailedCodeDigits } from '../../kernel/mailed-codes.ts'

/** Codes that one sign-in may ask for. */
export const codesPerAttempt = 6

/** For whom a sign-in asked for a code. It outlives the code, so that another one can be asked for. */
export interface Asked {
  /** Under which answers are counted, known or not. */
  readonly account: string
  /** What the page says of where it was sent: as it was typed, or hidden for the most part. */
  readonly shown: string
  readonly times: number
  /** Of the last code: ISO 8601. */
  readonly at: string
  /** Absent where there is no such account: all else is the same. */
  readonly userId?: UserId
  readonly email?: string
}

/** A code under way. Nobody gets to see it where there is no `userId`. */
export interface SentCode {
  readonly id: string
  readonly code: string
  readonly linkHash: string
  readonly account: string
  readonly userId?: UserId
  readonly email?: string
}

/** What a mailed link leads to: the sign-in that asked for it. */
export interface SentLink {
  readonly codeId: string
  readonly attemptId: string
  readonly path: string
  readonly clientId: string
  readonly userAgent: string
  /** SHA-256 of the identifier in the device cookie of the browser that asked. */
  readonly device?: string
  /** ISO 8601. */
  readonly at: string
}

/** A link whose button was pressed in the browser of its sign-in. */
export interface OpenedLink {
  readonly codeId: string
  readonly token: string
}

/** The work that follows an answer which is the same for everybody. */
export interface CodeToSend {
  readonly attemptId: string
  readonly codeId: string
  readonly code: string
  readonly token: string
  readonly clientId: string
  readonly userAgent: string
  readonly at: string
  readonly address: string
  readonly requestId: string
  readonly locale: string
  /** Asked for behind a proof, or on a device that is known as the user's. */
  readonly isVouched: boolean
  readonly userId?: UserId
  readonly email?: string
}

/** Under which codes and links are remembered (`attempts`). */
export const purposes = {
  asked: 'email-codes.asked',
  code: 'email-codes.code',
  link: 'email-codes.link',
  opened: 'email-codes.opened',
} as const

/** Of the outbox. */
export const topic = 'email-codes.send'

export const wrongCode = (): AppError =>
  new AppError('email-codes.wrong_code', 401, 'This is not the code that was sent. Check it and try again.', {
    field: 'code',
  })

export const codeIncomplete = (): AppError =>
  invalidInput('email-codes.code_incomplete', `Type the ${mailedCodeDigits} digits of the code.`, {
    field: 'code',
    params: { digits: mailedCodeDigits },
  })

export const codeEnded = (): AppError =>
  new AppError('email-codes.code_ended', 410, 'This code no longer works. Have another one sent.')

export const linkEnded = (): AppError =>
  new AppError('email-codes.link_ended', 410, 'This link no longer works. Go back to where you sign in.')

export const askTooSoon = (retryAfterSeconds: number): AppError =>
  new AppError('email-codes.ask_too_soon', 429, 'A code was sent a moment ago. Wait before the next one.', {
    retryAfterSeconds,
    params: { seconds: retryAfterSeconds },
  })

export const askedTooOften = (): AppError =>
  new AppError('email-codes.asked_too_often', 429, 'Too many codes were sent. Begin the sign-in again.', {
    params: { times: codesPerAttempt },
  })

export const identifierMissing = (): AppError =>
  invalidInput('email-codes.identifier_missing', 'Say for which account the code is.', {
    field: 'identifier',
  })

export const noAddress = (): AppError =>
  new AppError(
    'email-codes.no_address',
    409,
    'This account has no confirmed e-mail address to send a code to.',
  )
