import { AppError, invalidInput, notFound } from '../../kernel/errors.ts'

/** An authenticator app that a person has confirmed. Its key never leaves the feature. */
export interface Authenticator {
  readonly id: string
  /** As its owner calls it. */
  readonly name: string
  readonly createdAt: Date
  readonly lastUsedAt: Date | null
}

/** How many a person may have. */
export const maximumAuthenticators = 10

/** How long a key that is shown waits for its first code. */
export const enrolmentSeconds = 3_600

/** First codes that may be wrong before another key is made. */
export const enrolmentTries = 20

export const nameLength = 60

/** In characters; the key of RFC 4226 §4 R6 is told by an address, which a picture must hold. */
export const labelLength = 80

export const malformedInput = (cause: unknown): AppError =>
  invalidInput('totp.invalid_input', 'Send a code and, for a new authenticator app, its name.', { cause })

export const codeMissing = (): AppError =>
  invalidInput('totp.code_missing', 'Enter the code that the authenticator app shows.', { field: 'code' })

export const codeMalformed = (): AppError =>
  invalidInput('totp.code_malformed', 'A code of an authenticator app has 6 digits.', { field: 'code' })

export const wrongCode = (): AppError =>
  new AppError('totp.wrong_code', 401, 'This code is not right. Enter the one that the app shows now.', {
    field: 'code',
  })

/** For a code of a time step that was accepted before, or that is older than one (RFC 6238 §5.2). */
export const codeUsed = (): AppError =>
  new AppError('totp.code_used', 401, 'This code was used already. Wait for the next one.', { field: 'code' })

export const nobodyYet = (): AppError =>
  invalidInput('totp.nobody_yet', 'Say first who you are; the authenticator app is asked for afterwards.')

export const nameMissing = (): AppError =>
  invalidInput('totp.name_missing', 'Give the authenticator app a name.', { field: 'name' })

export const nameInvalid = (): AppError =>
  invalidInput('totp.name_invalid', `A name has at most ${nameLength} characters, all of them visible.`, {
    field: 'name',
    params: { maximum: nameLength },
  })

export const tooMany = (): AppError =>
  new AppError(
    'totp.too_many',
    409,
    `A person has at most ${maximumAuthenticators} authenticator apps. Remove one first.`,
    {
      params: { maximum: maximumAuthenticators },
    },
  )

export const enrolmentOver = (): AppError =>
  new AppError('totp.enrolment_over', 410, 'This key can no longer be confirmed. Scan the new one.')

export const unknownAuthenticator = (): AppError =>
  notFound('totp.unknown', 'There is no such authenticator app.')
