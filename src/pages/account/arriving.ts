import type { Context } from 'koa'
import { type Finding, pathOfPage } from './finding.ts'
import { hasTraces, queryOf, urlOf, withoutTraces } from './query.ts'
import type { Showing } from './showing.ts'
import type { AccountVisit, Visits } from './visit.ts'

type Arrive = (ctx: Context, visit: AccountVisit) => Promise<void>

/** What the addresses of an account lead to when they are opened. */
export interface Arriving {
  /** `/account` and `/account/<page>`. */
  readonly page: Arrive
  /** `/account/<page>/<panel>`, which is no page itself. */
  readonly panel: Arrive
  /** `/account/<page>/<panel>/<name>`. */
  readonly part: Arrive
}

export interface ArrivingTools {
  readonly finding: Finding
  readonly visits: Visits
  readonly showing: Showing
}

export function openArriving({ finding, visits, showing }: ArrivingTools): Arriving {
  const ledOn = leadingOn(visits)
  const pageOf = ({ params }: Context) => finding.pages.find(({ name }) => name === params.page)

  return {
    async page(ctx, visit) {
      const name = ctx.params.page === undefined ? 'profile' : pageOf(ctx)?.name
      if (name === undefined) return
      const path = pathOfPage(name)
      if (ledOn(ctx, visit, path)) return
      if (ctx.path !== path) return ctx.redirect(path)
      await showing.page(ctx, visit, { page: name })
    },

    async panel(ctx) {
      const page = pageOf(ctx)
      if (page !== undefined) ctx.redirect(pathOfPage(page.name))
    },

    async part(ctx, visit) {
      const { page: pageName, panel: panelName, name } = ctx.params
      const address = [String(pageName), String(panelName), String(name)] as const
      const found = finding.page(...address)
      if (found === undefined) {
        // Where a form was sent there is nothing to see, but its page is near.
        const act = finding.act(...address)
        return act && ctx.redirect(pathOfPage(act.panel.page))
      }
      if (ledOn(ctx, visit, pathOfPage(found.panel.page))) return
      const query = queryOf(ctx)
      if (found.page.fresh === true && !(await visits.isFresh(visit)))
        return ctx.redirect(visits.confirmPath(visit, urlOf(ctx.path, query)))
      await showing.part(ctx, visit, { ...found, query })
    },
  }
}

/**
 * Whoever comes back from a sign-in is led on to the same address without its traces; to the page above where he cancelled,
 * as he would only be asked again; to the beginning where somebody else signed in than who had asked.
 */
const leadingOn =
  (visits: Visits) =>
  (ctx: Context, visit: AccountVisit, above: string): boolean => {
    const query = queryOf(ctx)
    if (!hasTraces(query)) return false
    const mine = query.for === undefined || visits.isFor(visit, query.for)
    const asked = query.error === undefined ? urlOf(ctx.path, withoutTraces(query)) : above
    ctx.redirect(mine ? asked : pathOfPage('profile'))
    return true
  }
