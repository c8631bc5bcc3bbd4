export interface AppErrorOptions {
  readonly cause?: unknown
  /** Seconds after which trying again can help; sent as Retry-After (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds?: number
  /** What the page's translated message may need. */
  readonly params?: Readonly<Record<string, string | number>>
  /** The form's field that it is about. */
  readonly field?: string
}

/**
 * An error that a caller is meant to see. `code` is `feature.snake_case` and stable, `status` an HTTP status,
 * `message` one English sentence that says what to do. Its `cause` is logged and never shown. On a page it is told by the
 * message `problem.<code>` where there is one, beside the form's `field`.
 */
export class AppError extends Error {
  readonly code: string
  readonly status: number
  readonly retryAfterSeconds: number | undefined
  readonly params: Readonly<Record<string, string | number>>
  readonly field: string | undefined

  constructor(code: string, status: number, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.status = status
    this.retryAfterSeconds = options.retryAfterSeconds
    this.params = options.params ?? {}
    this.field = options.field
  }
}

export const notFound = (code: string, message: string): AppError => new AppError(code, 404, message)

export const invalidInput = (code: string, message: string, options?: AppErrorOptions): AppError =>
  new AppError(code, 400, message, options)
