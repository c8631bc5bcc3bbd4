/**
 * Owns the pages of a person's account as a frame: who visits, navigation, freshness, forms, what is said afterwards.
 * Does not own what stands on them: that are the features' panels.
 */
import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Csrf } from '../csrf.ts'
import { openDeviceCookies } from '../device-cookie.ts'
import type { Pages } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { seeOther } from '../see-other.ts'
import { openActs } from './acts.ts'
import { openArriving } from './arriving.ts'
import { openFinding } from './finding.ts'
import { openNotices } from './notice.ts'
import { openShowing } from './showing.ts'
import { type AccountVisit, openVisits } from './visit.ts'

export { uploadBytes } from './upload.ts'

export function accountRoutes(
  router: Router,
  ports: PagePorts,
  { pages, csrf }: { readonly pages: Pages; readonly csrf: Csrf },
): void {
  const { issuer, clock, account, signIn } = ports
  const visits = openVisits(ports, openDeviceCookies(issuer))
  const notices = openNotices({ issuer, clock, key: account.key })
  const finding = openFinding(account.panels)
  const showing = openShowing({ ports, pages, finding, notices })
  const arriving = openArriving({ finding, visits, showing })
  const acts = openActs({ ports, csrf, finding, notices, visits, showing })

  const visited =
    (work: (ctx: Context, visit: AccountVisit) => Promise<void>) =>
    async (ctx: Context): Promise<void> => {
      ctx.set('Cache-Control', 'no-store')
      const visit = await visits.open(ctx)
      if (visit !== undefined) return await work(ctx, visit)
      seeOther(ctx, signIn.signInPath({ returnTo: acts.returnTo(ctx) }))
    }

  router.get('/account', visited(arriving.page))
  router.get('/account/:page', visited(arriving.page))
  router.get('/account/:page/:panel', visited(arriving.panel))
  router.get('/account/:page/:panel/:name', visited(arriving.part))
  router.post('/account/:page/:panel/:name', visited(acts.run))
}
