import type Router from '@koa/router'
import type { Csrf } from './csrf.ts'
import { readForm } from './forms.ts'
import { factsOf, type Pages } from './page.ts'
import type { PagePorts } from './ports.ts'
import { seeOther } from './see-other.ts'

/** `/`: the set-up while there is no administrator, the sign-in while nobody is signed in, else the person's account. */
export function homeRoutes(
  router: Router,
  ports: PagePorts,
  { pages, csrf }: { readonly pages: Pages; readonly csrf: Csrf },
): void {
  const { setup, signIn, people, record } = ports

  router.get('/', async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const current = await signIn.signedIn(ctx)
    const account = current === undefined ? undefined : await people.view(current.userId)
    if (current === undefined || account === undefined) {
      return ctx.redirect((await setup.isNeeded()) ? '/setup' : signIn.signInPath())
    }
    ctx.redirect('/account')
  })

  router.post('/sign-out', async (ctx) => {
    csrf.verify(ctx, await readForm(ctx))
    const current = await signIn.signedIn(ctx)
    if (current !== undefined) {
      await signIn.signOut(ctx)
      await record({
        action: 'login.signed_out',
        outcome: 'success',
        userId: current.userId,
        request: factsOf(ctx),
      })
    }
    seeOther(ctx, '/signed-out')
  })

  router.get('/signed-out', (ctx) => pages.answer(ctx, 'logout/done', { homeUrl: '/' }))
}
