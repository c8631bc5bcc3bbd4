import type { Context, Middleware } from 'koa'
import { notFound } from '../kernel/errors.ts'

/** The path of the issuer, such as `/auth`; empty where the issuer is a host alone. */
export const basePathOf = (issuer: URL): string => (issuer.pathname === '/' ? '' : issuer.pathname)

const wellKnown = '/.well-known/'

/**
 * Lets the server live below a path of its host. Inside, every path begins at the server's own root; what is asked for
 * below the path loses it here, and redirects get it back. A host has one `/.well-known/` for all that live on it: there
 * RFC 8414 §3.1 puts the issuer's path behind the document's name, and `atRoot` are those that carry no path.
 */
export function basePath(issuer: URL, atRoot: ReadonlySet<string>): Middleware {
  const base = basePathOf(issuer)
  if (base === '') return (_ctx, next) => next()

  return async (ctx, next) => {
    const inside = insidePath(ctx.path, base, atRoot)
    if (inside === undefined) {
      throw notFound('host.outside', `This server answers below ${issuer.href} only.`)
    }
    ctx.path = inside
    // The library builds its own addresses with it.
    ;(ctx as Context & { mountPath?: string }).mountPath = base
    await next()
    const location = ctx.response.get('Location')
    if (/^\/(?!\/)/.test(location)) ctx.set('Location', base + location)
  }
}

function insidePath(path: string, base: string, atRoot: ReadonlySet<string>): string | undefined {
  if (path === base) return '/'
  if (path.startsWith(`${base}/`)) return path.slice(base.length)
  if (atRoot.has(path)) return path
  return path.startsWith(wellKnown) &&
    path.endsWith(base) &&
    !path.slice(wellKnown.length, -base.length).includes('/')
    ? path.slice(0, -base.length)
    : undefined
}
