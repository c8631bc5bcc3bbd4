import type Router from '@koa/router'
import { AppError } from '../kernel/errors.ts'
import type { Csrf } from './csrf.ts'
import { fieldErrors } from './field-errors.ts'
import { readForm } from './forms.ts'
import { factsOf, type Pages } from './page.ts'
import type { PagePorts } from './ports.ts'

/** `/set-password`: a person chooses a password, for whoever holds the one-time link. */
export function passwordRoutes(
  router: Router,
  { passwords }: PagePorts,
  { pages, csrf }: { readonly pages: Pages; readonly csrf: Csrf },
): void {
  const { minimumLength } = passwords
  const action = '/set-password'

  router.get(action, async (ctx) => {
    const token = typeof ctx.query.token === 'string' ? ctx.query.token : ''
    const account = await passwords.readLink(token)
    if (account !== undefined)
      return pages.answer(ctx, 'password/choose', { action, token, account, minimumLength })
    ctx.status = 403
    pages.answer(ctx, 'password/invalid-link', { homeUrl: '/' })
  })

  router.post(action, async (ctx) => {
    const form = await readForm(ctx)
    csrf.verify(ctx, form)
    const { token = '', password = '' } = form
    const account = await passwords.readLink(token)
    try {
      await passwords.chooseByLink(token, password, factsOf(ctx))
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error
      const errors = fieldErrors(error, minimumLength)
      ctx.status = error.status
      if (errors === undefined || account === undefined)
        return pages.answer(ctx, 'password/invalid-link', { homeUrl: '/' })
      return pages.answer(ctx, 'password/choose', { action, token, account, minimumLength, errors })
    }
    ctx.status = 303
    ctx.redirect(`${action}/done`)
  })

  // A page of its own, so that reloading it sends nothing again.
  router.get(`${action}/done`, (ctx) => pages.answer(ctx, 'password/done', { homeUrl: '/' }))
}
