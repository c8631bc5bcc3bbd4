import type { Context } from 'koa'
import type { ActOutcome, Panel, PanelAct } from '../../features/feature.ts'
import type { Csrf } from '../csrf.ts'
import { refusedForm } from '../field-errors.ts'
import { readForm, repeatable } from '../forms.ts'
import type { PagePorts } from '../ports.ts'
import { seeOther } from '../see-other.ts'
import { baseOf, type Finding, pathOfPage } from './finding.ts'
import type { Notices } from './notice.ts'
import { type Query, queryOf, urlOf, withoutTraces } from './query.ts'
import type { Showing } from './showing.ts'
import { readUpload } from './upload.ts'
import type { AccountVisit, Visits } from './visit.ts'

/** The forms of the account’s pages. */
export interface Acts {
  run(ctx: Context, visit: AccountVisit): Promise<void>
  /** The page to see, for whoever has to sign in before what he asked for. */
  returnTo(ctx: Context): string
}

export interface ActTools {
  readonly ports: Pick<PagePorts, 'views' | 'signIn'>
  readonly csrf: Csrf
  readonly finding: Finding
  readonly notices: Notices
  readonly visits: Visits
  readonly showing: Showing
}

interface Found {
  readonly panel: Panel
  readonly act: PanelAct
}

export function openActs(tools: ActTools): Acts {
  const { ports, csrf, finding, notices, visits, showing } = tools
  const conclude = concluding(tools)

  const foundAt = ({ params }: Context): Found | undefined =>
    finding.act(String(params.page), String(params.panel), String(params.name))

  return {
    returnTo(ctx) {
      const found = ctx.method === 'POST' ? foundAt(ctx) : undefined
      return found === undefined ? urlOf(ctx.path, withoutTraces(queryOf(ctx))) : formPath(found, {})
    },

    async run(ctx, visit) {
      const found = foundAt(ctx)
      if (found === undefined) return
      const { panel, act } = found
      const { form, file } = await readPosted(ctx, act)
      csrf.verify(ctx, form)
      const { _csrf, ...fields } = form
      if (act.fresh === true && !(await visits.isFresh(visit))) {
        notices.leave(ctx, visit.userId, { key: 'account.do-it-again' })
        return seeOther(ctx, visits.confirmPath(visit, formPath(found, fields)))
      }
      try {
        await conclude(ctx, visit, { panel, outcome: await act.run(visit, fields, file) })
      } catch (error) {
        const errors = refusedForm(ctx, error, ports.views)
        if (errors === undefined) throw error
        const page = act.page === undefined ? undefined : panel.pages?.[act.page]
        await showing.again(ctx, visit, { panel, page, errors, values: repeatable(fields) })
      }
    },
  }
}

/** Where the form of an act stands; of what was sent only what it is about comes along. */
const formPath = ({ panel, act }: Found, { id }: Query): string =>
  act.page === undefined
    ? pathOfPage(panel.page)
    : urlOf(`${baseOf(panel)}/${act.page}`, id === undefined ? {} : { id })

const readPosted = async (ctx: Context, { fileBytes }: PanelAct) =>
  fileBytes === undefined ? { form: await readForm(ctx), file: undefined } : await readUpload(ctx, fileBytes)

interface Concluded {
  readonly panel: Panel
  readonly outcome: ActOutcome
}

const concluding =
  ({ ports: { signIn }, notices, showing }: ActTools) =>
  async (ctx: Context, visit: AccountVisit, { panel, outcome }: Concluded): Promise<void> => {
    if ('view' in outcome) return await showing.once(ctx, visit, { panel, ...outcome })
    if ('file' in outcome) {
      ctx.attachment(outcome.file.name)
      ctx.type = outcome.file.type
      ctx.body = outcome.file.body
      return
    }
    if ('signedOut' in outcome) {
      if ((await signIn.signedIn(ctx)) !== undefined) await signIn.signOut(ctx)
      return seeOther(ctx, '/signed-out')
    }
    if (outcome.notice !== undefined) notices.leave(ctx, visit.userId, outcome.notice)
    seeOther(ctx, 'to' in outcome ? outcome.to : pathOfPage(panel.page))
  }
