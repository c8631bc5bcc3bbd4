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

/** What the routes of a sign-in share. */
interface Tools {
  readonly ports: PagePorts
  readonly pages: Pages
  readonly csrf: Csrf
}

type Act = (ctx: Context, interaction: PendingInteraction, form: Form) => Promise<void>
type Form = Readonly<Record<string, string>>

export function loginRoutes(router: Router, ports: PagePorts, rendering: Omit<Tools, 'ports'>): void {
  const tools = { ports, ...rendering }
  const { interactions, factors, record } = ports
  const signIn = openSignIn(ports, rendering.pages)
  const consent = openConsentPage(ports, rendering.pages)
  const open = opening(tools)
  const posted = receiving(tools, open)

  const show = async (ctx: Context, other: boolean): Promise<void> => {
    const interaction = await open(ctx)
    if (interaction === undefined) return
    if (interaction.prompt === 'consent' && !other) return await consent.show(ctx, interaction)
    await signIn.show(ctx, interaction, { other })
  }

  const submit = (other: boolean) =>
    posted(async (ctx, interaction, form) => {
      const factor = factors.find(({ name }) => name === ctx.params.factor)
      if (factor === undefined)
        throw new AppError('login.unknown_factor', 404, 'There is no such way to sign in.')
      if (interaction.prompt !== 'login' && !other) throw wrongStep()
      await signIn.submit(ctx, interaction, { other, factor, form })
    })

  const abort: Act = async (ctx, { prompt, clientId, userId }) => {
    const action = prompt === 'consent' ? 'consents.denied' : 'login.cancelled'
    await record({ action, outcome: 'failure', clientId, request: factsOf(ctx), ...(userId && { userId }) })
    await interactions.abort(ctx)
  }

  const path = '/interaction/:uid'
  router.get(path, (ctx) => show(ctx, false))
  router.get(`${path}/other`, (ctx) => show(ctx, true))
  router.post(
    `${path}/consent`,
    posted((ctx, interaction) => consent.allow(ctx, interaction)),
  )
  router.post(
    `${path}/switch`,
    posted(async (ctx, { uid }) => seeOther(ctx, `/interaction/${uid}/other`)),
  )
  router.post(`${path}/abort`, posted(abort))
  router.post(`${path}/:factor`, submit(false))
  router.post(`${path}/other/:factor`, submit(true))
}

type Open = (ctx: Context) => Promise<PendingInteraction | undefined>

/** The interaction of this browser; where it cannot go on here, that has been explained and nothing comes back. */
function opening(tools: Tools): Open {
  return async (ctx) => {
    const uid = String(ctx.params.uid)
    try {
      const interaction = await tools.ports.interactions.open(ctx, uid)
      ctx.state.uiLocales = interaction.uiLocales
      ctx.state.formTargets = interaction.redirectUri === undefined ? [] : [interaction.redirectUri]
      return interaction
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'interaction.not_here') throw error
      await explain(tools, ctx, uid)
      return undefined
    }
  }
}

/** A form of ours for the interaction of this browser; anything else has been answered. */
const receiving =
  ({ csrf }: Tools, open: Open) =>
  (act: Act) =>
  async (ctx: Context): Promise<void> => {
    const form = await readForm(ctx)
    csrf.verify(ctx, form)
    const interaction = await open(ctx)
    if (interaction !== undefined) await act(ctx, interaction, form)
  }

/** Says what became of a sign-in that cannot go on here, and leads on. */
async function explain({ ports, pages }: Tools, ctx: Context, uid: string): Promise<void> {
  const trail = await ports.interactions.trail(ctx, uid)
  const signedIn = (await ports.signIn.signedIn(ctx)) !== undefined
  // A form sent twice: the first one went through, but the browser followed the second, and may never have got the
  // cookie of the session. Whoever cancels twice does not mean to begin again.
  const sentTwice =
    ctx.method === 'POST' && !ctx.path.endsWith('/abort') && (signedIn || trail?.finished === true)
  if (sentTwice && trail?.restartPath !== undefined) return seeOther(ctx, trail.restartPath)
  const client = trail?.clientId === undefined ? undefined : await ports.clients.view(trail.clientId)
  ctx.status = trail?.pending === true ? 403 : 410
  pages.answer(ctx, trail?.pending === true ? 'login/other-browser' : 'login/expired', {
    signedIn,
    homeUrl: '/',
    keepsCookies: ctx.get('Cookie') !== '',
    ...(client && { client: { name: client.name, ...(client.clientUri && { uri: client.clientUri }) } }),
  })
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
