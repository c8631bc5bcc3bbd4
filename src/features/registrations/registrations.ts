import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { View } from '../../kernel/text.ts'
import type { Attempt, Proof } from '../feature.ts'
import type { TermsInForce } from '../terms/index.ts'

/** Who may make an account: nobody, who was invited, everybody. */
export type RegistrationMode = 'closed' | 'invitation' | 'open'

/** An invitation; what its link carries is stored as a hash alone. */
export interface StoredInvitation {
  readonly id: string
  readonly email: string | null
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly consumedAt: Date | null
}

/** What the form of a new account shows and asks. */
export interface RegistrationForm {
  /** Given by the invitation, and not to be changed. */
  readonly email?: string
  /** In characters. */
  readonly minimumLength: number
  readonly terms?: TermsInForce
  /** The fields of the profile that are asked for; a partial template. */
  readonly fields: View
}

/** What somebody gave for a new account. */
export interface RegistrationInput {
  /** What the form gave, field by field; it is checked here. */
  readonly form: Readonly<Record<string, string>>
  /** What the link of an invitation carried. */
  readonly invitation?: string
}

/** A code is under way. */
export interface Awaited {
  readonly email: string
  /** The code, where its link was opened in this very browser. */
  readonly code?: string
}

/**
 * The making of an account by its owner, in the middle of a sign-in. Nothing that is shown before the right code tells
 * whether there is an account with the address already; its owner is told by mail.
 */
export interface Registration {
  readonly mode: RegistrationMode
  /** Throws `registrations.closed` (403), `registrations.invitation_needed` (403) and `registrations.invitation_ended` (410). */
  form(invitation: string | undefined): Promise<RegistrationForm>
  /** Whether an invitation can still be used. */
  isInvited(invitation: string): Promise<boolean>
  /**
   * Checks everything and sends the code. The proof where no code is needed: somebody was invited by an address and there
   * is no mail. Throws what `form` throws, what is wrong with a field, and `throttle.too_many_attempts` (429).
   */
  begin(attempt: Attempt, input: RegistrationInput): Promise<Proof | undefined>
  awaited(attempt: Attempt): Promise<Awaited | undefined>
  /** Another code in place of the one before. Throws `registrations.nothing_awaited` (410) and `throttle.too_many_attempts`. */
  again(attempt: Attempt): Promise<void>
  /**
   * Makes the account, with everything that belongs to it, or nothing. Throws `registrations.wrong_code` (400),
   * `registrations.nothing_awaited` (410), `registrations.already_there` (409) and what `form` throws.
   */
  finish(attempt: Attempt, code: string): Promise<Proof>
}

export const closed = (): AppError =>
  new AppError('registrations.closed', 403, 'Accounts are made by an administrator here. Ask yours for one.')

export const invitationNeeded = (): AppError =>
  new AppError(
    'registrations.invitation_needed',
    403,
    'An account is made with an invitation here. Open its link.',
  )

export const invitationEnded = (): AppError =>
  new AppError(
    'registrations.invitation_ended',
    410,
    'This invitation has expired or was used already. Ask for a new one.',
  )

export const otherAddress = (): AppError =>
  invalidInput('registrations.other_address', 'The invitation is for another address.', { field: 'email' })

export const nothingAwaited = (): AppError =>
  new AppError('registrations.nothing_awaited', 410, 'This code no longer works. Begin again.')

export const wrongCode = (): AppError =>
  invalidInput('registrations.wrong_code', 'This is not the code that was sent. Check it and try again.', {
    field: 'code',
  })

/** Told to nobody but who has shown that the address is his. */
export const alreadyThere = (): AppError =>
  new AppError('registrations.already_there', 409, 'There is an account with this address already. Sign in.')

export const malformedForm = (cause: unknown): AppError =>
  invalidInput('registrations.malformed', 'The form is incomplete. Fill it in and send it again.', { cause })

export const linkEnded = (): AppError =>
  new AppError(
    'registrations.link_ended',
    410,
    'This link no longer works. Go back to where you began, and have another one sent.',
  )

export const noMailForOpen = (): AppError =>
  new AppError(
    'registrations.no_mail',
    500,
    'LATCHKEY_REGISTRATIONS_MODE is open, but no mail can be sent, so nobody could prove an address. Configure mail, or set it to invitation or closed.',
  )
