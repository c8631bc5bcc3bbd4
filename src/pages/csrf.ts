import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import { AppError } from '../kernel/errors.ts'
import { newSecret } from '../kernel/ids.ts'
import { ownCookie } from './own-cookie.ts'

export interface Csrf {
  /** The token for a form on a page for this browser; sets the cookie that it belongs to. */
  token(ctx: Context): string
  /** Throws 403 unless the form comes from our own page in this browser: same Origin and matching token. */
  verify(ctx: Context, form: Readonly<Record<string, string>>): void
  /** Throws 403 unless the form comes from our own page; for one whose token is checked by whoever reads it. */
  verifyOrigin(ctx: Context): void
}

/**
 * A token that is an HMAC of the browser's own cookie, and the Origin header. The cookie is `__Host-`, so nobody can plant
 * one; the token cannot be made without the key. It stays for as long as the browser runs, so that a second tab or the
 * back button never finds its form outdated.
 */
export function openCsrf({ issuer, key }: { readonly issuer: URL; readonly key: Buffer }): Csrf {
  const cookie = ownCookie(issuer, 'csrf')
  const tokenOf = (value: string): string => createHmac('sha256', key).update(value).digest('base64url')

  const cookieOf = (ctx: Context): string | undefined =>
    (ctx.state.csrfCookie as string | undefined) ?? cookie.read(ctx)

  return {
    token(ctx) {
      let value = cookieOf(ctx)
      if (value === undefined || value.length !== 43) {
        value = newSecret()
        ctx.state.csrfCookie = value
        cookie.write(ctx, value)
      }
      return tokenOf(value)
    },

    verify(ctx, form) {
      const value = cookieOf(ctx)
      const given = Buffer.from(form._csrf ?? '')
      const expected = Buffer.from(value === undefined ? '' : tokenOf(value))
      if (
        !isSameOrigin(ctx, issuer) ||
        value === undefined ||
        given.length !== expected.length ||
        !timingSafeEqual(given, expected)
      ) {
        throw forged()
      }
    },

    verifyOrigin(ctx) {
      if (!isSameOrigin(ctx, issuer)) throw forged()
    },
  }
}

const forged = (): AppError =>
  new AppError(
    'host.forged_form',
    403,
    'This form was not sent from our own page, or your browser does not keep cookies. Reload the page and try again.',
  )

/**
 * Our pages send no referrer, and under that policy browsers write `Origin: null` even to the same origin (Fetch §3.2);
 * what they say in Sec-Fetch-Site, which no script can set, then decides.
 */
function isSameOrigin(ctx: Context, issuer: URL): boolean {
  const origin = ctx.get('Origin')
  return origin === issuer.origin || (origin === 'null' && ctx.get('Sec-Fetch-Site') === 'same-origin')
}
