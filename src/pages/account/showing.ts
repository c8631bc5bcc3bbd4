import type { Context } from 'koa'
import type { AccountPage, Panel, PanelPage } from '../../features/feature.ts'
import type { Text, View } from '../../kernel/text.ts'
import type { FieldErrors } from '../field-errors.ts'
import type { AccountFrame } from '../models.ts'
import type { Pages } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { baseOf, type Finding, pathOfPage } from './finding.ts'
import type { Notices } from './notice.ts'
import type { Query } from './query.ts'
import type { AccountVisit } from './visit.ts'

/** A form that was refused, to be shown again. */
export interface Refused {
  readonly panel: Panel
  readonly errors: FieldErrors
  /** What was posted, without what nobody gives back. */
  readonly values: Query
}

/** The pages as they are drawn. */
export interface Showing {
  page(ctx: Context, visit: AccountVisit, shown: { page: AccountPage; refused?: Refused }): Promise<void>
  part(
    ctx: Context,
    visit: AccountVisit,
    shown: { panel: Panel; page: PanelPage; query: Query },
  ): Promise<void>
  /** The page, or its part, with the form as it was refused. */
  again(ctx: Context, visit: AccountVisit, refused: Refused & { page: PanelPage | undefined }): Promise<void>
  /** Something to see once; its title is a message. */
  once(ctx: Context, visit: AccountVisit, shown: { panel: Panel; title: string; view: View }): Promise<void>
}

export interface ShowingTools {
  readonly ports: Pick<PagePorts, 'account' | 'sampleUrl'>
  readonly pages: Pages
  readonly finding: Finding
  readonly notices: Notices
}

export function openShowing(tools: ShowingTools): Showing {
  const { pages, finding } = tools
  const frame = framing(tools)

  const page: Showing['page'] = async (ctx, visit, { page: name, refused }) => {
    const views = await Promise.all(
      finding.panelsOf(name).map(async (panel) => {
        const view = await panel.show(visit)
        return view && partOf(panel, view, refused?.panel === panel ? refused : undefined)
      }),
    )
    const parts = views.filter((view) => view !== undefined)
    const failed = refused !== undefined
    pages.answer(ctx, 'account/page', { frame: await frame(ctx, visit, name), parts, failed })
  }

  return {
    page,

    async part(ctx, visit, { panel, page: shown, query }) {
      const part = partOf(panel, await shown.show(visit, query))
      const title = { key: shown.title }
      pages.answer(ctx, 'account/part', { frame: await frame(ctx, visit, panel.page), title, part })
    },

    async again(ctx, visit, { page: shown, ...refused }) {
      const { panel, values } = refused
      if (shown === undefined) return await page(ctx, visit, { page: panel.page, refused })
      const part = partOf(panel, await shown.show(visit, values), refused)
      const model = { frame: await frame(ctx, visit, panel.page), title: { key: shown.title }, part }
      pages.answer(ctx, 'account/part', { ...model, failed: true })
    },

    async once(ctx, visit, { panel, title, view }) {
      const model = { frame: await frame(ctx, visit, panel.page), title: { key: title } }
      pages.answer(ctx, 'account/part', { ...model, part: partOf(panel, view) })
    },
  }
}

const partOf = (panel: Panel, { template, model }: View, refused?: Refused): View => ({
  template,
  model: { ...model, base: baseOf(panel), errors: refused?.errors ?? {}, values: refused?.values ?? {} },
})

/** What stands around every page: who it is about, where else one can go, what has just happened. */
const framing =
  ({ ports, finding, notices }: ShowingTools) =>
  async (ctx: Context, visit: AccountVisit, current: AccountPage): Promise<AccountFrame> => {
    const { person, userId } = visit
    const picture = await ports.account.picture(userId)
    const notice: Text | undefined = notices.take(ctx, userId)
    return {
      person: { ...person, ...(picture !== undefined && { picture }) },
      current,
      pages: finding.pages.map(({ name, title }) => ({ name, title, url: pathOfPage(name) })),
      back: pathOfPage(current),
      signOutAction: '/sign-out',
      ...(ports.sampleUrl !== undefined && { sampleUrl: ports.sampleUrl }),
      ...(notice !== undefined && { notice }),
    }
  }
