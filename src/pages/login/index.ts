/**
 * Owns the sign-in that an authorization request waits for: which form is shown, where it posts, what an ended one says.
 * Does not own how a factor is proven (features) nor what the protocol does with the result (provider).
 */
import type Router from '@koa/router'
import type { Context } from 'koa'
import { AppError } from '../../kernel/errors.ts'
import type { PendingInteraction } from '../../provider/index.ts'
import type { Csrf } from '../csrf.ts'
import { readForm } from '../forms.ts'
import { factsOf, type Pages } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { openConsentPage } from './consent.ts'
import { openSignIn } from './sign-in.ts'

export function loginRoutes(
  router: Router,
  ports: PagePorts,
  { pages, csrf }: { readonly pages: Pages; readonly csrf: Csrf },
): void {
  const { interactions, signIn: doors, clients, factors, record } = ports
  const signIn = openSignIn(ports, pages)
  const consent = openConsentPage(ports, pages)

  const open = async (ctx: Context): Promise<PendingInteraction | undefined> => {
    const uid = String(ctx.params.uid)
    try {
      const interaction = await interactions.open(ctx, uid)
      ctx.state.uiLocales = interaction.uiLocales
      ctx.state.formTargets = interaction.redirectUri === undefined ? [] : [interaction.redirectUri]
      return interaction
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'interaction.not_here') throw error
      await explain(ctx, uid)
      return undefined
    }
  }

  /** Says what became of a sign-in that cannot go on here, and leads on. */
  async function explain(ctx: Context, uid: string): Promise<void> {
    const trail = await interactions.trail(ctx, uid)
    const signedIn = (await doors.signedIn(ctx)) !== undefined
    // A form sent twice: the first one went through, but the browser followed the second, and may never have got the
    // cookie of the session. Whoever cancels twice does not mean to begin again.
    const sentTwice =
      ctx.method === 'POST' && !ctx.path.endsWith('/abort') && (signedIn || trail?.finished === true)
    if (sentTwice && trail?.restartPath !== undefined) {
      ctx.status = 303
      return ctx.redirect(trail.restartPath)
    }
    const client = trail?.clientId === undefined ? undefined : await clients.view(trail.clientId)
    const view =
      client === undefined
        ? undefined
        : {
            client: {
              name: client.name,
              ...(client.clientUri === undefined ? undefined : { uri: client.clientUri }),
            },
          }
    ctx.status = trail?.pending === true ? 403 : 410
    pages.answer(ctx, trail?.pending === true ? 'login/other-browser' : 'login/expired', {
      signedIn,
      homeUrl: '/',
      keepsCookies: ctx.get('Cookie') !== '',
      ...view,
    })
  }

  const show = async (ctx: Context, other: boolean): Promise<void> => {
    const interaction = await open(ctx)
    if (interaction === undefined) return
    if (interaction.prompt === 'consent' && !other) return await consent.show(ctx, interaction)
    await signIn.show(ctx, interaction, { other })
  }

  /** A form of ours for the interaction of this browser; anything else has been answered. */
  const posted =
    (
      act: (
        ctx: Context,
        interaction: PendingInteraction,
        form: Readonly<Record<string, string>>,
      ) => Promise<void>,
    ) =>
    async (ctx: Context): Promise<void> => {
      const form = await readForm(ctx)
      csrf.verify(ctx, form)
      const interaction = await open(ctx)
      if (interaction !== undefined) await act(ctx, interaction, form)
    }

  const submit = (other: boolean) =>
    posted(async (ctx, interaction, form) => {
      const factor = factors.find(({ name }) => name === ctx.params.factor)
      if (factor === undefined)
        throw new AppError('login.unknown_factor', 404, 'There is no such way to sign in.')
      if (interaction.prompt !== 'login' && !other) throw wrongStep()
      await signIn.submit(ctx, interaction, { other, factor, form })
    })

  router.get('/interaction/:uid', (ctx) => show(ctx, false))
  router.get('/interaction/:uid/other', (ctx) => show(ctx, true))
  router.post(
    '/interaction/:uid/consent',
    posted((ctx, interaction) => consent.allow(ctx, interaction)),
  )
  router.post(
    '/interaction/:uid/switch',
    posted(async (ctx, { uid }) => seeOther(ctx, `/interaction/${uid}/other`)),
  )
  router.post(
    '/interaction/:uid/abort',
    posted(async (ctx, { prompt, clientId, userId }) => {
      const action = prompt === 'consent' ? 'consents.denied' : 'login.cancelled'
      await record({ action, outcome: 'failure', clientId, request: factsOf(ctx), ...(userId && { userId }) })
      await interactions.abort(ctx)
    }),
  )
  router.post('/interaction/:uid/:factor', submit(false))
  router.post('/interaction/:uid/other/:factor', submit(true))
}

const wrongStep = (): AppError =>
  new AppError(
    'login.wrong_step',
    400,
    'No password is asked for at this step. Go back to the application and sign in again.',
  )

function seeOther(ctx: Context, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}
