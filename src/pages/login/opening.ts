import type { Context } from 'koa'
import type { Attempt, Proof } from '../../features/feature.ts'
import { AppError } from '../../kernel/errors.ts'
import type { PendingInteraction } from '../../provider/index.ts'
import { openDeviceCookies } from '../device-cookie.ts'
import type { Pages } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { seeOther } from '../see-other.ts'
import { openActs } from './acts.ts'
import { attemptIdOf, standingOf } from './attempt.ts'
import { openStepPages } from './steps.ts'

interface Tools {
  readonly ports: PagePorts
  readonly pages: Pages
}

export type Open = (ctx: Context) => Promise<PendingInteraction | undefined>

/** The interaction of this browser; where it cannot go on here, that has been explained and nothing comes back. */
export function opening(tools: Tools): Open {
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

/** What pages outside this folder need that are part of a sign-in, such as the making of an account. */
export interface LoginTools {
  /** The sign-in of this browser, as somebody new; `undefined` where it has been explained why it cannot go on. */
  openAttempt(
    ctx: Context,
  ): Promise<{ readonly interaction: PendingInteraction; readonly attempt: Attempt } | undefined>
  /** Adds what was proven and leads to the next step. */
  proceed(ctx: Context, interaction: PendingInteraction, proof: Proof): Promise<void>
}

export function openInteractionTools(tools: Tools): LoginTools {
  const { ports, pages } = tools
  const open = opening(tools)
  const devices = openDeviceCookies(ports.issuer)
  const acts = openActs({ ports, steps: openStepPages({ ports, pages, devices }) })
  return {
    async openAttempt(ctx) {
      const interaction = await open(ctx)
      if (interaction === undefined) return undefined
      devices.ensure(ctx)
      const current = { interaction, other: true, device: devices.read(ctx) }
      const { attempt } = await standingOf(ports, ctx, current)
      return { interaction, attempt: { ...attempt, path: `/interaction/${interaction.uid}` } }
    },

    async proceed(ctx, interaction, proof) {
      await ports.attempts.add(attemptIdOf(interaction), proof)
      await acts.proceed(ctx, { interaction, other: true, device: devices.read(ctx) })
    },
  }
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
