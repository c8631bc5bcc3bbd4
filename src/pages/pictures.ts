import type Router from '@koa/router'
import type { Context } from 'koa'
import type { PagePorts } from './ports.ts'

const yearSeconds = 31_536_000

/** `/picture/<id>`, and `/small` below it: a person's picture, for whoever was told its address. A changed picture has another one. */
export function pictureRoutes(router: Router, { pictures }: PagePorts): void {
  const serve = (size: 'full' | 'small') => async (ctx: Context) => {
    const picture = await pictures.find(String(ctx.params.id), size)
    if (picture === undefined) return
    ctx.set('Cache-Control', `public, max-age=${yearSeconds}, immutable`)
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
    ctx.type = picture.type
    ctx.body = picture.body
  }
  router.get('/picture/:id', serve('full'))
  router.get('/picture/:id/small', serve('small'))
}
