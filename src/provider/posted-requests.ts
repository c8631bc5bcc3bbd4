import type { Context } from 'koa'
import { AppError } from '../kernel/errors.ts'
import type { Area } from './area.ts'
import { ownPath } from './own-pages.ts'

/** What fits into an address on the way through proxies. */
const maximumBytes = 8 * 1024

/**
 * Requests that applications may send by GET and by POST (OpenID Connect Core 1.0 §3.1.2.1, RP-Initiated Logout 1.0 §2).
 * The session's cookie does not come with a POST of another site (SameSite=Lax), but with the GET that it is turned into.
 */
export const postedRequests: Area = {
  extend(provider) {
    const paths = new Set(['authorization', 'end_session'].map((endpoint) => ownPath(provider, endpoint)))
    provider.use(async (ctx, next) => {
      if (ctx.method !== 'POST' || !paths.has(ctx.path)) return await next()
      if (!isPlainForm(ctx))
        throw new AppError(
          'provider.not_a_form',
          415,
          'Send it as application/x-www-form-urlencoded, in UTF-8 and not compressed.',
        )
      const asked = new URLSearchParams(await readBody(ctx)).toString()
      ctx.set('Cache-Control', 'no-store')
      ctx.status = 303
      ctx.redirect(asked === '' ? ctx.path : `${ctx.path}?${asked}`)
    })
  },
}

/** Anything else would be another request in the address than in the body. */
const isPlainForm = (ctx: Context): boolean =>
  ctx.is('application/x-www-form-urlencoded') !== false &&
  ['', 'utf-8'].includes(ctx.request.charset.toLowerCase()) &&
  ['', 'identity'].includes(ctx.get('Content-Encoding').toLowerCase())

async function readBody(ctx: Context): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length
    if (length > maximumBytes)
      throw new AppError(
        'provider.request_too_long',
        413,
        `The request must have at most ${maximumBytes} bytes. Push a longer one (PAR).`,
      )
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}
