import type { Context } from 'koa'
import type { RequestFacts } from '../kernel/http.ts'
import type { Csrf } from './csrf.ts'
import type { PageModels } from './models.ts'
import { pickLocale, type Views } from './views.ts'

export const factsOf = (ctx: Context): RequestFacts => ctx.state.facts as RequestFacts

/** Renders pages for the request at hand: in its language, with its nonce and its form token. */
export interface Pages {
  html<Name extends keyof PageModels>(ctx: Context, template: Name, model: PageModels[Name]): string
  /** The same as the answer: HTML that is not stored. */
  answer<Name extends keyof PageModels>(ctx: Context, template: Name, model: PageModels[Name]): void
}

export function openPageRenderer(views: Views, csrf: Csrf): Pages {
  const html: Pages['html'] = (ctx, template, model) =>
    views.render(
      {
        locale: localeOf(ctx),
        nonce: String(ctx.state.nonce ?? ''),
        csrfToken: csrf.token(ctx),
        requestId: (ctx.state.facts as RequestFacts | undefined)?.requestId,
      },
      template,
      model,
    )

  return {
    html,
    answer(ctx, template, model) {
      ctx.type = 'html'
      ctx.set('Cache-Control', 'no-store')
      ctx.body = html(ctx, template, model)
    },
  }
}

/** OpenID Connect Core 1.0 §3.1.2.1: `ui_locales` of the request, then what the browser prefers. */
function localeOf(ctx: Context): string {
  const asked = ctx.state.uiLocales ?? ctx.query.ui_locales
  return pickLocale({
    uiLocales: typeof asked === 'string' ? asked : undefined,
    acceptLanguage: ctx.get('Accept-Language') || undefined,
  })
}
