import type Router from '@koa/router'
import type { Context } from 'koa'
import type { LinkPage, LinkVisit, MailedLink } from '../features/feature.ts'
import { AppError } from '../kernel/errors.ts'
import type { Csrf } from './csrf.ts'
import { openDeviceCookies } from './device-cookie.ts'
import { type FieldErrors, fieldErrors } from './field-errors.ts'
import { readForm, repeatable } from './forms.ts'
import { factsOf, localeOf, type Pages } from './page.ts'
import type { PagePorts } from './ports.ts'
import { problemOf } from './problems.ts'
import { seeOther } from './see-other.ts'

const tokenSyntax = /^[\w-]{1,512}$/

interface LinkTools {
  readonly ports: Pick<PagePorts, 'links' | 'views' | 'issuer'>
  readonly pages: Pages
  readonly csrf: Csrf
}

/** `/link/<name>?token=…`: what is mailed leads here. Opening it shows what its form will do; only the form does it. */
export function linkRoutes(router: Router, ports: LinkTools['ports'], rest: Omit<LinkTools, 'ports'>): void {
  const { csrf } = rest
  const byName = new Map(ports.links.map((link) => [link.name, link]))
  const linkPages = openLinkPages({ ports, ...rest })

  router.get('/link/:name', async (ctx) => {
    const link = byName.get(String(ctx.params.name))
    if (link !== undefined) await linkPages.show(ctx, link, tokenIn(ctx.query.token))
  })

  router.post('/link/:name', async (ctx) => {
    const link = byName.get(String(ctx.params.name))
    if (link === undefined) return
    const { _csrf = '', token, ...fields } = await readForm(ctx)
    csrf.verify(ctx, { _csrf })
    await linkPages.finish(ctx, link, { token: tokenIn(token), fields })
  })
}

interface LinkPages {
  show(ctx: Context, link: MailedLink, token: string): Promise<void>
  finish(ctx: Context, link: MailedLink, posted: { token: string; fields: Form }): Promise<void>
}

function openLinkPages({ ports: { views, issuer }, pages }: LinkTools): LinkPages {
  const devices = openDeviceCookies(issuer)
  const visitOf = (ctx: Context): LinkVisit => {
    const device = devices.read(ctx)
    return { request: factsOf(ctx), locale: localeOf(ctx), ...(device !== undefined && { device }) }
  }

  const refuse = (ctx: Context, error: unknown): void => {
    if (!(error instanceof AppError) || error.status >= 500) throw error
    ctx.status = error.status
    const problem = problemOf(error, views)?.text ?? { key: 'links.useless' }
    pages.answer(ctx, 'links/refused', { problem })
  }

  const answer = (ctx: Context, { title, view }: LinkPage, shown: Shown): void => {
    const { token, link, errors, values = {} } = shown
    const part = { template: view.template, model: { ...view.model, errors: errors ?? {}, values } }
    const action = link && { action: `/link/${link.name}` }
    pages.answer(ctx, 'links/page', { title, part, token, failed: errors !== undefined, ...action })
  }

  return {
    async show(ctx, link, token) {
      try {
        answer(ctx, await link.show(token, visitOf(ctx)), { token, link })
      } catch (error) {
        refuse(ctx, error)
      }
    },

    async finish(ctx, link, { token, fields }) {
      const visit = visitOf(ctx)
      try {
        const outcome = await link.finish(token, fields, visit)
        if (!('to' in outcome)) return answer(ctx, outcome, { token, link: undefined })
        seeOther(ctx, outcome.to)
      } catch (error) {
        const errors = fieldErrors(error, views)
        // Where the link itself is of no use any more, showing it again says so.
        const page = errors && (await link.show(token, visit).catch(() => undefined))
        if (page === undefined) return refuse(ctx, error)
        ctx.status = (error as AppError).status
        answer(ctx, page, { token, link, errors, values: repeatable(fields) })
      }
    },
  }
}

type Form = Readonly<Record<string, string>>

interface Shown {
  readonly token: string
  /** To which its form posts; absent once there is nothing left to send. */
  readonly link: MailedLink | undefined
  readonly errors?: FieldErrors | undefined
  readonly values?: Form
}

function tokenIn(value: unknown): string {
  if (typeof value === 'string' && tokenSyntax.test(value)) return value
  throw new AppError('host.malformed_link', 400, 'This link is incomplete. Open it as it stands in the mail.')
}
