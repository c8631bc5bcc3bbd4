import type { Middleware } from 'koa'

export interface HealthOptions {
  /** Throws when the database does not answer. */
  readonly ping: () => Promise<void>
  readonly draining: () => boolean
}

/** `/health/live`: the process answers. `/health/ready`: it can serve; not while it drains or its database is away. */
export function health({ ping, draining }: HealthOptions): Middleware {
  return async (ctx, next) => {
    ctx.state.routine = ctx.path.startsWith('/health/')
    if (ctx.path === '/health/live') {
      ctx.set('Cache-Control', 'no-store')
      ctx.body = { status: 'ok' }
      return
    }
    if (ctx.path !== '/health/ready') return await next()
    ctx.set('Cache-Control', 'no-store')
    const state = draining()
      ? 'draining'
      : await ping().then(
          () => 'ok',
          () => 'database unavailable',
        )
    ctx.status = state === 'ok' ? 200 : 503
    ctx.body = { status: state }
  }
}
