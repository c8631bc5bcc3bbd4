import { AppError } from '../kernel/errors.ts'

/** Prisma: server unreachable, timed out, connection closed, pool exhausted, transaction could not start, deadlock. */
const unavailableCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'])
const unavailableKinds = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'DatabaseDoesNotExist',
  'AuthenticationFailed',
])
const networkCodes =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|57P0[123]|57014|55P03|40P01|40001|53\d{3}|08\d{3})$/
const driverMessages =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|the database system is (starting up|shutting down)/i
const maximumDepth = 6

interface ErrorLike {
  readonly code?: unknown
  readonly message?: unknown
  readonly cause?: unknown
  readonly kind?: unknown
  readonly originalCode?: unknown
  readonly originalMessage?: unknown
  readonly meta?: { readonly driverAdapterError?: unknown }
}

/** `storage.unavailable` (503) when `error` says that the database cannot be used at the moment, else `undefined`. */
export function unavailable(error: unknown): AppError | undefined {
  if (!isUnavailable(error, 0)) return undefined
  return new AppError(
    'storage.unavailable',
    503,
    'The service cannot reach its database. Try again in a moment.',
    {
      cause: error,
      retryAfterSeconds: 5,
    },
  )
}

function isUnavailable(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth > maximumDepth) return false
  const { code, message, cause, kind, originalCode, originalMessage, meta } = error as ErrorLike
  return (
    unavailableCodes.has(String(code)) ||
    unavailableKinds.has(String(kind)) ||
    networkCodes.test(String(code)) ||
    networkCodes.test(String(originalCode)) ||
    driverMessages.test(String(message)) ||
    driverMessages.test(String(originalMessage)) ||
    isUnavailable(cause, depth + 1) ||
    isUnavailable(meta?.driverAdapterError, depth + 1)
  )
}

/** Whether `error` reports that a unique value was there already. */
export function isUniqueViolation(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { code, cause } = error as ErrorLike
  return code === 'P2002' || (cause as ErrorLike | undefined)?.kind === 'UniqueConstraintViolation'
}

/** The text in which a violated unique constraint names its columns, on either database. */
export function violatedColumns(error: unknown): string {
  return isUniqueViolation(error) ? JSON.stringify((error as ErrorLike).meta ?? {}) : ''
}
