import type Router from '@koa/router'
import { notFound } from '../kernel/errors.ts'
import type { Pages } from './page.ts'
import type { PagePorts } from './ports.ts'

/** What a mail says runs nothing, loads nothing but pictures, and is shown nowhere but on its own page. */
const mailPolicy = [
  `default-src 'none'`,
  `style-src 'unsafe-inline'`,
  'img-src https: data:',
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'self'`,
  'sandbox allow-top-navigation-by-user-activation',
].join(';')

const unknownMail = () => notFound('inbox.unknown', 'There is no such mail.')

/** `/inbox`: the mails of development mode. Elsewhere there is no such page. */
export function inboxRoutes(
  router: Router,
  { inbox }: PagePorts,
  { pages }: { readonly pages: Pages },
): void {
  if (inbox === undefined) return

  router.get('/inbox', async (ctx) => pages.answer(ctx, 'inbox/list', { mails: await inbox.list() }))

  router.get('/inbox/:id', async (ctx) => {
    const mail = await inbox.find(ctx.params.id ?? '')
    if (mail === undefined) throw unknownMail()
    pages.answer(ctx, 'inbox/mail', { mail, frameUrl: `/inbox/${mail.id}/html` })
    ctx.set('Content-Security-Policy', `${ctx.response.get('Content-Security-Policy')};frame-src 'self'`)
  })

  router.get('/inbox/:id/html', async (ctx) => {
    const mail = await inbox.find(ctx.params.id ?? '')
    if (mail === undefined) throw unknownMail()
    ctx.set('Content-Security-Policy', mailPolicy)
    ctx.set('Cache-Control', 'no-store')
    ctx.type = 'html'
    // Its links lead out of the frame.
    ctx.body = mail.html.replace('<head>', '<head><base target="_top">')
  })
}
