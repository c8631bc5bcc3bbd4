import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import { policySource } from '../kernel/origins.ts'

/** Sets what every answer carries, and the policy of pages: no script, style or frame but our own (CSP Level 3). */
export function securityHeaders(issuer: URL): Middleware {
  const secure = issuer.protocol === 'https:'
  const policy = (nonce: string): string =>
    [
      `default-src 'none'`,
      `script-src 'nonce-${nonce}'`,
      `style-src 'self' 'nonce-${nonce}'`,
      `img-src 'self' https: data:`,
      `connect-src 'self'`,
      `form-action 'self'`,
      `base-uri 'none'`,
      `frame-ancestors 'none'`,
    ].join(';')

  return async (ctx, next) => {
    const nonce = randomUUID()
    ctx.state.nonce = nonce
    ctx.set('X-Content-Type-Options', 'nosniff')
    ctx.set('Referrer-Policy', 'no-referrer')
    ctx.set('Content-Security-Policy', policy(nonce))
    ctx.set('Cross-Origin-Opener-Policy', 'same-origin')
    if (secure) ctx.set('Strict-Transport-Security', 'max-age=31536000')
    await next()
    if (ctx.response.is('html') && ctx.response.get('Cache-Control') === '')
      ctx.set('Cache-Control', 'no-store')
    // A browser checks the redirects after a form too, so a form that ends at an application must name it.
    const targets = [
      ...new Set(((ctx.state.formTargets ?? []) as readonly string[]).map(policySource)),
    ].filter((source) => source !== undefined)
    if (targets.length > 0) {
      const sent = ctx.response.get('Content-Security-Policy')
      ctx.set(
        'Content-Security-Policy',
        sent.replace(`form-action 'self'`, (own) => `${own} ${targets.join(' ')}`),
      )
    }
  }
}
