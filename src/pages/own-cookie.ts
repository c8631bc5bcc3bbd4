import type { Context } from 'koa'

/** A cookie of the pages, for the whole host and out of reach of scripts; on https `__Host-` (RFC 6265bis §4.1.3). */
export interface OwnCookie {
  read(ctx: Context): string | undefined
  /** Until the browser is closed, where no time is given. */
  write(ctx: Context, value: string, options?: { readonly seconds?: number }): void
  forget(ctx: Context): void
}

export function ownCookie(issuer: URL, purpose: string): OwnCookie {
  const secure = issuer.protocol === 'https:'
  const name = secure ? `__Host-latchkey_${purpose}` : `latchkey_${purpose}`
  const options = {
    httpOnly: true,
    sameSite: 'lax',
    secure,
    path: '/',
    signed: false,
    overwrite: true,
  } as const
  return {
    read: (ctx) => ctx.cookies.get(name, { signed: false }),
    write: (ctx, value, { seconds } = {}) =>
      void ctx.cookies.set(name, value, {
        ...options,
        ...(seconds !== undefined && { maxAge: seconds * 1000 }),
      }),
    forget: (ctx) => void ctx.cookies.set(name, null, options),
  }
}
