import type { Context } from 'koa'

/** After a POST the browser is led on by a GET, so that reloading sends nothing again (RFC 9110 §15.4.4). */
export function seeOther(ctx: Context, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}
