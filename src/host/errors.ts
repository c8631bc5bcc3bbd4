import type { Context, Middleware } from 'koa'
import { AppError } from '../kernel/errors.ts'
import type { RequestFacts } from '../kernel/http.ts'
import type { Log } from '../kernel/log.ts'

export interface ErrorOptions {
  readonly log: Log
  /** Says whether an unexpected error means that the database cannot be used at the moment. */
  readonly unavailable: (error: unknown) => AppError | undefined
  readonly page: (ctx: Context, error: AppError) => string
}

/** The one place where errors become answers: a page for a person, JSON for a program. */
export function errorRenderer({ log, unavailable, page }: ErrorOptions): Middleware {
  const classify = (error: unknown): AppError => {
    if (error instanceof AppError) return error
    return (
      unavailable(error) ??
      new AppError(
        'host.internal',
        500,
        'Something went wrong on our side. Try again; if it stays, tell the operator the request id.',
        { cause: error },
      )
    )
  }

  return async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body == null && ctx.respond !== false)
        throw new AppError('host.not_found', 404, 'There is nothing at this address.')
    } catch (caught) {
      const error = classify(caught)
      const { requestId } = ctx.state.facts as RequestFacts
      if (error.status >= 500)
        log.error(
          { err: error.cause ?? error, errorCode: error.code, requestId, path: ctx.path },
          'a request failed',
        )
      ctx.status = error.status
      ctx.set('Cache-Control', 'no-store')
      if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds))
      if (ctx.accepts('json', 'html') === 'html') {
        ctx.type = 'html'
        ctx.body = page(ctx, error)
      } else {
        ctx.body = { error: error.code, error_description: error.message, request_id: requestId }
      }
    }
  }
}
