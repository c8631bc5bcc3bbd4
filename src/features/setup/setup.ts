import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { Actor, RequestFacts } from '../../kernel/http.ts'
import type { User } from '../users/index.ts'

/** What becomes the first administrator; e-mail address or user name is needed. */
export interface FirstAdministrator {
  readonly email?: string
  readonly username?: string
  readonly name?: string
  readonly password: string
}

export interface SetupForm extends FirstAdministrator {
  readonly token: string
}

export interface SetupLinkIssued {
  /** `<issuer>/setup?token=…`; shown once, stored only as a hash. */
  readonly url: string
  readonly expiresAt: Date
}

/** Of a link somebody opens. A link that a newer one has replaced is `used`. */
export type LinkState = 'valid' | 'missing' | 'expired' | 'used'

export interface Setup {
  /** Whether there is no administrator yet, not even a disabled one. Once false it stays so without asking again. */
  isNeeded(): Promise<boolean>
  /** Ends the link before it. Throws `setup.done` (409). */
  issueLink(): Promise<SetupLinkIssued>
  linkState(token: string | undefined): Promise<LinkState>
  /**
   * Consumes the link and creates the administrator, both or neither. Throws `setup.link_missing` (400),
   * `setup.link_expired`, `setup.link_used` (410), `setup.done` (409), and what choosing a user and a password throws.
   */
  complete(form: SetupForm, request: RequestFacts): Promise<User>
  /** Without a link, for who is on the server's own command line. Throws `setup.done` (409). */
  createFirstAdministrator(administrator: FirstAdministrator, actor: Actor): Promise<User>
}

const linkErrors: Readonly<Record<Exclude<LinkState, 'valid'>, () => AppError>> = {
  missing: () =>
    invalidInput('setup.link_missing', 'The set-up needs the one-time link that the server printed.'),
  expired: () =>
    new AppError(
      'setup.link_expired',
      410,
      'The set-up link has expired. Run `latchkey setup link` for a new one.',
    ),
  used: () =>
    new AppError(
      'setup.link_used',
      410,
      'The set-up link has been used or replaced by a newer one. Run `latchkey setup link` for a new one.',
    ),
}

export const linkError = (state: Exclude<LinkState, 'valid'>): AppError => linkErrors[state]()

export const setupDone = (): AppError =>
  new AppError(
    'setup.done',
    409,
    'There is an administrator already. Sign in, or use `latchkey users` to make another.',
  )
