import { errors } from 'oidc-provider'
import { unavailable } from '../storage/errors.ts'

/** 503 in the protocol's shape. It never becomes a redirect: the application could do nothing with it. */
export class Unavailable extends errors.OIDCProviderError {
  override readonly error_description = 'the service cannot reach its database, try again in a moment'

  constructor(cause: unknown) {
    super(503, 'temporarily_unavailable')
    this.allow_redirect = false
    this.expose = true
    this.cause = cause
  }
}

/** Runs a storage operation; a database that is away becomes `temporarily_unavailable`, anything else stays what it is. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw unavailable(error) === undefined ? error : new Unavailable(error)
  }
}

type Operation = (...args: unknown[]) => Promise<unknown>

/** The same asynchronous operations, each run by `orUnavailable`; what is no function stays as it is. */
export function eachOrUnavailable<T extends object>(operations: T): T {
  const entries = Object.entries(operations).map(([name, operation]) => [
    name,
    typeof operation === 'function'
      ? (...args: unknown[]) => orUnavailable(() => (operation as Operation)(...args))
      : operation,
  ])
  return Object.fromEntries(entries) as T
}
