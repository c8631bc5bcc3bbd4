import type { Context } from 'koa'
import { isSecret, newSecret } from '../kernel/ids.ts'
import { ownCookie } from './own-cookie.ts'

const cookieSeconds = 400 * 86_400

/** By which a browser is known in which an account has been used before; random, and only looked up. */
export interface DeviceCookies {
  read(ctx: Context): string | undefined
  /** Gives the browser one, if it has none. */
  ensure(ctx: Context): void
  /** Gives the browser another one. */
  replace(ctx: Context, device: string): void
}

export function openDeviceCookies(issuer: URL): DeviceCookies {
  const cookie = ownCookie(issuer, 'device')
  const read = (ctx: Context): string | undefined => {
    const device = cookie.read(ctx)
    return device !== undefined && isSecret(device) ? device : undefined
  }
  const replace = (ctx: Context, device: string): void =>
    cookie.write(ctx, device, { seconds: cookieSeconds })
  return {
    read,
    replace,
    ensure(ctx) {
      if (read(ctx) === undefined) replace(ctx, newSecret())
    },
  }
}
