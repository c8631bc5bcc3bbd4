import type Router from '@koa/router'
import type { Context } from 'koa'
import { AppError } from '../kernel/errors.ts'
import type { Csrf } from './csrf.ts'
import { fieldErrors, refusedForm } from './field-errors.ts'
import { readForm } from './forms.ts'
import { factsOf, localeOf, type Pages } from './page.ts'
import type { PagePorts } from './ports.ts'
import { seeOther } from './see-other.ts'

interface Tools {
  readonly pages: Pages
  readonly csrf: Csrf
}

const choosing = '/set-password'
const forgotten = '/reset-password'

/** `/set-password`: a person chooses a password, for whoever holds the one-time link. `/reset-password`: has it sent. */
export function passwordRoutes(router: Router, ports: PagePorts, tools: Tools): void {
  chooseRoutes(router, ports, tools)
  forgottenRoutes(router, ports, tools)
}

function chooseRoutes(router: Router, { passwords, views }: PagePorts, { pages, csrf }: Tools): void {
  const { minimumLength } = passwords
  const action = choosing
  const invalid = (ctx: Context): void =>
    pages.answer(ctx, 'password/invalid-link', {
      homeUrl: '/',
      ...(passwords.resetsByMail && { resetUrl: forgotten }),
    })

  router.get(action, async (ctx) => {
    const token = typeof ctx.query.token === 'string' ? ctx.query.token : ''
    const account = await passwords.readLink(token)
    if (account !== undefined)
      return pages.answer(ctx, 'password/choose', { action, token, account, minimumLength })
    ctx.status = 403
    invalid(ctx)
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
      const errors = fieldErrors(error, views)
      ctx.status = error.status
      if (errors === undefined || account === undefined) return invalid(ctx)
      return pages.answer(ctx, 'password/choose', { action, token, account, minimumLength, errors })
    }
    seeOther(ctx, `${action}/done`)
  })

  // A page of its own, so that reloading it sends nothing again.
  router.get(`${action}/done`, (ctx) => pages.answer(ctx, 'password/done', { homeUrl: '/' }))
}

function forgottenRoutes(router: Router, { passwords, views }: PagePorts, { pages, csrf }: Tools): void {
  const model = { action: forgotten, byMail: passwords.resetsByMail, homeUrl: '/' }

  router.get(forgotten, (ctx) => pages.answer(ctx, 'password/forgotten', model))

  router.post(forgotten, async (ctx) => {
    const form = await readForm(ctx)
    csrf.verify(ctx, form)
    const { identifier = '' } = form
    try {
      await passwords.requestReset({ identifier, request: factsOf(ctx), locale: localeOf(ctx) })
    } catch (error) {
      const errors = refusedForm(ctx, error, views)
      if (errors === undefined) throw error
      return pages.answer(ctx, 'password/forgotten', { ...model, identifier, errors })
    }
    seeOther(ctx, `${forgotten}/sent`)
  })

  router.get(`${forgotten}/sent`, (ctx) => pages.answer(ctx, 'password/sent', { resetUrl: forgotten }))
}
