/**
 * Owns the sign-in that an authorization request waits for: which form is shown, where it posts, what an ended one says.
 * Does not own how a factor is proven (features) nor what the protocol does with the result (provider).
 */
import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Csrf } from '../csrf.ts'
import { type DeviceCookies, openDeviceCookies } from '../device-cookie.ts'
import { readForm } from '../forms.ts'
import { factsOf, type Pages } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { seeOther } from '../see-other.ts'
import { type Acts, openActs } from './acts.ts'
import { type Current, marks, standingOf } from './attempt.ts'
import { type ConsentPage, openConsentPage } from './consent.ts'
import { type Open, opening } from './opening.ts'
import { openStepPages, type StepPages } from './steps.ts'

export { type LoginTools, openInteractionTools } from './opening.ts'

type Form = Readonly<Record<string, string>>
type Act = (ctx: Context, current: Current, form: Form) => Promise<void>
type Handler = (ctx: Context) => Promise<void>

interface Tools {
  readonly ports: PagePorts
  readonly pages: Pages
  readonly csrf: Csrf
}

export function loginRoutes(router: Router, ports: PagePorts, rendering: Omit<Tools, 'ports'>): void {
  const tools = { ports, ...rendering }
  const devices = openDeviceCookies(ports.issuer)
  const consent = openConsentPage(ports, rendering.pages)
  const steps = openStepPages({ ...tools, devices })
  const acts = openActs({ ports, steps })
  const shared: Shared = { ...tools, consent, steps, acts, devices, open: opening(tools) }
  const show = showing(shared)
  const posted = receiving(shared)

  const path = '/interaction/:uid'
  router.get(path, show(false))
  router.get(`${path}/other`, show(true))
  router.post(
    `${path}/consent`,
    posted((ctx, { interaction }) => consent.allow(ctx, interaction)),
  )
  router.post(
    `${path}/switch`,
    posted(async (ctx, { interaction: { uid } }) => seeOther(ctx, `/interaction/${uid}/other`)),
  )
  router.post(`${path}/abort`, posted(aborting(ports)))
  router.post(`${path}/later`, posted(puttingOff(shared)))
  router.get(`${path}/enrol/:factor`, show(false, 'enrol'))
  router.post(`${path}/enrol/:factor`, posted(acts.enrol))
  router.post(`${path}/then/:interlude`, posted(acts.pass))
  for (const other of [true, false]) {
    const prefix = other ? `${path}/other` : path
    router.get(`${prefix}/:factor`, show(other, 'prove'))
    router.post(`${prefix}/:factor/start`, posted(acts.start, other))
    router.post(`${prefix}/:factor`, posted(acts.prove, other))
  }
}

interface Shared extends Tools {
  readonly consent: ConsentPage
  readonly steps: StepPages
  readonly acts: Acts
  readonly devices: DeviceCookies
  readonly open: Open
}

/** The step at which the sign-in stands; with a factor, the page of that one where it may be used now. */
const showing =
  ({ ports, open, devices, consent, steps, acts }: Shared) =>
  (other: boolean, chosen?: 'prove' | 'enrol'): Handler =>
  async (ctx) => {
    const interaction = await open(ctx)
    if (interaction === undefined) return
    const current = { interaction, other, device: devices.read(ctx) }
    const standing = await standingOf(ports, ctx, current)
    const begun = standing.attempt.proofs.length > 0
    if (interaction.prompt === 'consent' && !other && !begun) return await consent.show(ctx, interaction)
    if (interaction.registers && !other && !begun && ports.registration.mode !== 'closed')
      return seeOther(ctx, `${standing.attempt.path}/register`)
    const { step } = standing
    if (step.step === 'done') return await acts.proceed(ctx, current)
    const name = chosen && String(ctx.params.factor)
    const fits = name === undefined || (step.step === chosen && step.factors.includes(name))
    if (!fits) return seeOther(ctx, standing.attempt.path)
    await steps.show(ctx, current, { standing, ...(name !== undefined && { chosen: name }) })
  }

/** A form of ours for the interaction of this browser; anything else has been answered. */
const receiving =
  ({ csrf, open, devices }: Shared) =>
  (act: Act, other = false): Handler =>
  async (ctx) => {
    const form = await readForm(ctx)
    csrf.verify(ctx, form)
    const interaction = await open(ctx)
    if (interaction !== undefined) await act(ctx, { interaction, other, device: devices.read(ctx) }, form)
  }

const aborting =
  ({ record, interactions }: PagePorts): Act =>
  async (ctx, { interaction: { prompt, clientId, userId } }) => {
    const action = prompt === 'consent' ? 'consents.denied' : 'login.cancelled'
    await record({ action, outcome: 'failure', clientId, request: factsOf(ctx), ...(userId && { userId }) })
    await interactions.abort(ctx)
  }

/** Puts off what may be put off at this step, and nothing else. */
const puttingOff =
  ({ ports, acts }: Shared): Act =>
  async (ctx, current) => {
    const { attempt, step } = await standingOf(ports, ctx, current)
    if (step.step === 'enrol' && step.later !== undefined) {
      const mark = step.later.what === 'enrolment' ? marks.laterEnrolment : marks.laterBackup
      await ports.attempts.pass(attempt.id, mark)
    }
    await acts.proceed(ctx, current)
  }
