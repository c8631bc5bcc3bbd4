import type { Middleware } from 'koa'
import type { RequestFacts } from '../kernel/http.ts'
import type { Log } from '../kernel/log.ts'

/** One line a request, without query, body, cookies or tokens; what happened in it (`ctx.state.event`) stands in the same line. */
export function accessLog(log: Log): Middleware {
  return async (ctx, next) => {
    const started = performance.now()
    try {
      await next()
    } finally {
      const { requestId, address } = ctx.state.facts as RequestFacts
      const milliseconds = Math.round((performance.now() - started) * 10) / 10
      const line = {
        requestId,
        address,
        method: ctx.method,
        path: ctx.path,
        status: ctx.status,
        milliseconds,
      }
      // Machines read the public documents and ask for the health all day long.
      const level = ctx.state.routine === true && ctx.status < 400 ? 'debug' : 'info'
      log[level](ctx.state.event === undefined ? line : { ...line, event: ctx.state.event }, 'request')
    }
  }
}
