import { AppError } from '../../kernel/errors.ts'
import type { RequestFacts } from '../../kernel/http.ts'
import type { Kept } from '../feature.ts'

/** An account whose owner wants it deleted. */
export interface Departure {
  readonly requestedAt: Date
  readonly dueAt: Date
}

/** The owner’s wish to have his account deleted. */
export interface Departing {
  readonly userId: string
  /** What he typed to confirm it: his address, or his user name where he has none. */
  readonly confirmation: string
  readonly request: RequestFacts
  readonly locale: string
  /** What stays signed in meanwhile; everything else ends. */
  readonly keep: Kept
}

/** Leaving, and thinking better of it. */
export interface Departures {
  readonly waitSeconds: number
  /** `undefined` where nobody asked for it. */
  find(userId: string): Promise<Departure | undefined>
  /**
   * The owner wants his account deleted: after the waiting time, or at once where there is none, and then `undefined` comes
   * back. Asking again changes nothing. Throws `departures.not_confirmed` (400) and `departures.last_administrator` (409).
   */
  request(departing: Departing): Promise<Departure | undefined>
  /** He changed his mind. Throws `departures.not_leaving` (409) where nothing was to be deleted. */
  keep(userId: string, by: { readonly request: RequestFacts; readonly locale: string }): Promise<void>
  /** Deletes at most one batch of accounts whose time has come; true when more may be waiting. */
  deleteDue(): Promise<boolean>
}

export const notConfirmed = (): AppError =>
  new AppError(
    'departures.not_confirmed',
    400,
    'Type the name of the account that is to be deleted, as it is shown.',
    {
      field: 'confirmation',
    },
  )

export const lastAdministrator = (): AppError =>
  new AppError(
    'departures.last_administrator',
    409,
    'This is the last administrator who stays. Make another user an administrator first.',
  )

export const notLeaving = (): AppError =>
  new AppError('departures.not_leaving', 409, 'This account was not going to be deleted.')
