import { AppError, invalidInput } from '../../kernel/errors.ts'

/** Codes in a set. */
export const setSize = 10

/** With so many left or fewer, a person is warned. */
export const fewLeft = 3

/** How long new codes wait to be confirmed as saved. */
export const enrolmentSeconds = 3_600

/** How many of a person's codes there are, and since when. */
export interface CodeCount {
  readonly total: number
  readonly left: number
  /** When the set was made. */
  readonly createdAt: Date | undefined
}

export const malformedInput = (cause: unknown): AppError =>
  invalidInput('recovery-codes.invalid_input', 'Send what the form asks for, and nothing else.', { cause })

export const codeMissing = (): AppError =>
  invalidInput('recovery-codes.code_missing', 'Enter one of your recovery codes.', { field: 'code' })

export const codeMalformed = (): AppError =>
  invalidInput('recovery-codes.code_malformed', 'A recovery code has 24 letters and digits.', {
    field: 'code',
  })

/** The same for a code that was used, one of a set that was replaced, and one of somebody else. */
export const wrongCode = (): AppError =>
  new AppError(
    'recovery-codes.wrong_code',
    401,
    'This recovery code is not right or was used already. Try another one.',
    {
      field: 'code',
    },
  )

export const nobodyYet = (): AppError =>
  invalidInput(
    'recovery-codes.nobody_yet',
    'Say first who you are; the recovery code is asked for afterwards.',
  )

export const notSaved = (): AppError =>
  invalidInput('recovery-codes.not_saved', 'Save the codes first, then say that you have.', {
    field: 'saved',
  })

export const enrolmentOver = (): AppError =>
  new AppError(
    'recovery-codes.enrolment_over',
    410,
    'The codes that were shown before do not count any more. Save the new ones.',
  )

export const choiceMissing = (): AppError =>
  invalidInput(
    'recovery-codes.choice_missing',
    'Choose whether to take the new codes or to keep the present ones.',
  )
