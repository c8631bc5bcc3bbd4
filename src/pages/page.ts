import type { Context } from 'koa'
import type { RequestFacts } from '../kernel/http.ts'
import type { Csrf } from './csrf.ts'
import { pickLocale } from './languages.ts'
import type { PageModels } from './models.ts'
import type { Views } from './views.ts'

export const factsOf = (ctx: Context): RequestFacts => ctx.state.facts as RequestFacts

/** Renders pages for the request at hand: in its language, with its nonce and its form token. */
export interface Pages {
  /** Whether there is a message of that name. */
  has(key: string): boolean
  html<Name extends keyof PageModels>(ctx: Context, template: Name, model: PageModels[Name]): string
  /** The same as the answer: HTML that is not stored. */
  answer<Name extends keyof PageModels>(ctx: Context, template: Name, model: PageModels[Name]): void
}

export function openPageRenderer(views: Views, csrf: Csrf): Pages {
  const html: Pages['html'] = (ctx, template, model) => {
    const locale = localeOf(ctx)
    const page = {
      locale,
      nonce: String(ctx.state.nonce ?? ''),
      csrfToken: csrf.token(ctx),
      requestId: (ctx.state.facts as RequestFacts | undefined)?.requestId,
    }
    ctx.set('Content-Language', locale)
    ctx.vary('Accept-Language')
    return views.render(page, template, model)
  }

  return {
    has: views.has,
    html,
    answer(ctx, template, model) {
      ctx.type = 'html'
      ctx.set('Cache-Control', 'no-store')
      ctx.body = html(ctx, template, model)
    },
  }
}

/** The language of the pages for a request: what the application asked for, the person's own setting, the browser's. */
export function localeOf(ctx: Context): string {
  const asked: unknown = ctx.state.uiLocales ?? ctx.query.ui_locales
  const own: unknown = ctx.state.userLocale
  return pickLocale({
    uiLocales: typeof asked === 'string' ? asked : undefined,
    userLocale: typeof own === 'string' ? own : undefined,
    acceptLanguage: ctx.get('Accept-Language') || undefined,
  })
}
