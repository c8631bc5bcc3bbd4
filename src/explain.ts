import { AppError } from './kernel/errors.ts'
import { unavailable } from './storage/errors.ts'

/** An error from below in words for a person, where there are some. */
export function explained(error: unknown): AppError | undefined {
  if (error instanceof AppError && error.code !== 'storage.unavailable') return error
  if (unavailable(error) === undefined) return undefined
  return new AppError(
    'storage.unreachable',
    503,
    'The database does not answer. Check DATABASE_URL, that the server runs and that the credentials are right; for SQLite, that the data folder can be written.',
    { cause: error },
  )
}
