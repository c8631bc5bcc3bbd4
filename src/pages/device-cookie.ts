import type { Context } from 'koa'
import { isSecret, newSecret } from '../kernel/ids.ts'

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
  const secure = issuer.protocol === 'https:'
  const name = secure ? '__Host-latchkey_device' : 'latchkey_device'
  const read = (ctx: Context): string | undefined => {
    const device = ctx.cookies.get(name, { signed: false })
    return device !== undefined && isSecret(device) ? device : undefined
  }
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/', signed: false } as const
  const replace = (ctx: Context, device: string): void =>
    void ctx.cookies.set(name, device, { ...options, maxAge: cookieSeconds * 1000, overwrite: true })
  return {
    read,
    replace,
    ensure(ctx) {
      if (read(ctx) === undefined) replace(ctx, newSecret())
    },
  }
}
