import type { Middleware } from 'koa'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { AppError } from '../kernel/errors.ts'
import type { RequestFacts } from '../kernel/http.ts'

const windowSeconds = 60
const mostRemembered = 100_000
const credentialPaths = new Set([
  '/token',
  '/token/introspection',
  '/token/revocation',
  '/request',
  '/device/auth',
  '/backchannel',
])

/** The library's router takes `/TOKEN` and `/token/` for `/token`. */
const canonical = (path: string): string => path.toLowerCase().replace(/\/+$/, '')

export interface CredentialLimitOptions {
  readonly failuresPerMinute: number
  /** What of an address one sender is likely to have. */
  readonly keyOf: (address: string) => string
}

/**
 * Slows down who guesses client secrets: counts refused client authentications (401) per address, in this process.
 * Answers that succeed cost a look-up in memory and are never limited. People's sign-ins are throttled elsewhere, in the
 * database and by account.
 */
export function credentialLimit({ failuresPerMinute, keyOf }: CredentialLimitOptions): Middleware {
  const limiter = new RateLimiterMemory({ points: failuresPerMinute, duration: windowSeconds })
  /** Who has failed lately; nobody else is looked up. */
  const failed = new Set<string>()

  return async (ctx, next) => {
    if (ctx.method !== 'POST' || !credentialPaths.has(canonical(ctx.path))) return await next()
    const key = keyOf((ctx.state.facts as RequestFacts).address)
    const used = failed.has(key) ? await limiter.get(key) : null
    if (used === null) failed.delete(key)
    if (used !== null && used.remainingPoints <= 0) {
      throw new AppError(
        'host.too_many_failures',
        429,
        'Too many refused client authentications from this address. Try again later.',
        {
          retryAfterSeconds: Math.ceil(used.msBeforeNext / 1000),
        },
      )
    }
    await next()
    if (ctx.status !== 401) return
    failed.add(key)
    if (failed.size > mostRemembered) failed.delete(failed.keys().next().value ?? key)
    await limiter.penalty(key)
  }
}
