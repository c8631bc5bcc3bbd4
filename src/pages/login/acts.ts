import type { Context } from 'koa'
import type { Attempt, Factor } from '../../features/feature.ts'
import { AppError } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import { openDeviceCookies } from '../device-cookie.ts'
import type { FormState } from '../models.ts'
import { factsOf } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { problemOf } from '../problems.ts'
import { seeOther } from '../see-other.ts'
import { type Current, marks, type Standing, standingOf } from './attempt.ts'
import { type Done, sessionFactor } from './next-step.ts'
import type { StepPages } from './steps.ts'

type Form = Readonly<Record<string, string>>
type Act = (ctx: Context, current: Current, form: Form) => Promise<void>

/** What can be sent in the middle of a sign-in. Each derives from the server's state alone whether it is its turn. */
export interface Acts {
  /** Makes a factor ready to be answered. */
  readonly start: Act
  /** Checks what a factor was given. */
  readonly prove: Act
  /** Checks what the making of a factor was given. */
  readonly enrol: Act
  /** Ends an interlude. */
  readonly pass: Act
  /** Leads to the next step, or back into the protocol where nothing is left. */
  proceed(ctx: Context, current: Current): Promise<void>
}

interface ActTools {
  readonly ports: PagePorts
  readonly steps: StepPages
}

export function openActs(tools: ActTools): Acts {
  const shared = { ...tools, proceed: proceeding(tools), refuse: refusing(tools) }
  return {
    proceed: shared.proceed,
    start: starting(shared),
    prove: proving(shared),
    enrol: enrolling(shared),
    pass: passing(shared),
  }
}

interface Shared extends ActTools {
  readonly proceed: Acts['proceed']
  readonly refuse: ReturnType<typeof refusing>
}

const proceeding =
  ({ ports }: ActTools): Acts['proceed'] =>
  async (ctx, current) => {
    const standing = await standingOf(ports, ctx, current)
    if (standing.step.step !== 'done') return seeOther(ctx, `/interaction/${current.interaction.uid}`)
    await finish(ports, ctx, { standing, done: standing.step })
  }

const starting =
  ({ ports, proceed, refuse }: Shared): Act =>
  async (ctx, current, form) => {
    const turn = await turnOf(ports, ctx, current)
    if (turn === undefined) return await proceed(ctx, current)
    const { factor, standing } = turn
    await keepChoices(ports, standing.attempt, form)
    try {
      await factor.start?.(standing.attempt, inputOf(form))
    } catch (error) {
      // Whoever has to wait for the next one still answers the one before.
      const waits = error instanceof AppError && error.retryAfterSeconds !== undefined
      const ownPage = standing.attempt.userId !== undefined || waits
      return await refuse(ctx, current, { standing, error, form, ...(ownPage && { chosen: factor.name }) })
    }
    seeOther(ctx, `${standing.attempt.path}/${factor.name}`)
  }

const proving =
  ({ ports, proceed, refuse }: Shared): Act =>
  async (ctx, current, form) => {
    const turn = await turnOf(ports, ctx, current)
    if (turn === undefined) return await proceed(ctx, current)
    const { factor, standing } = turn
    const { attempt, step } = standing
    try {
      const proof = await factor.finish(attempt, inputOf(form))
      const sessionUid = sessionHeld(attempt, current)
      await ports.attempts.add(attempt.id, proof, { userId: provenSoFar(attempt), sessionUid })
      await keepChoices(ports, attempt, form)
      const isSecond = step.step === 'prove' && step.place === 'second'
      if (isSecond && form.trust === 'yes') await trust(ports, ctx, { attempt, sessionUid })
    } catch (error) {
      const ownPage = attempt.userId !== undefined || factor.start !== undefined
      return await refuse(ctx, current, { standing, error, form, ...(ownPage && { chosen: factor.name }) })
    }
    await proceed(ctx, current)
  }

const enrolling =
  ({ ports, proceed, refuse }: Shared): Act =>
  async (ctx, current, form) => {
    const standing = await standingOf(ports, ctx, current)
    const { attempt, step, proven } = standing
    const name = String(ctx.params.factor)
    const factor = ports.factors.find((each) => each.name === name)
    const due = step.step === 'enrol' && step.factors.includes(name)
    if (!due || proven === undefined || factor?.enrolment === undefined) return await proceed(ctx, current)
    try {
      const proof = await factor.enrolment.finish(proven.holder, inputOf(form))
      await ports.attempts.pass(attempt.id, marks.enrolled)
      if (proof !== undefined) await ports.attempts.add(attempt.id, proof)
    } catch (error) {
      return await refuse(ctx, current, { standing, error, form, chosen: name })
    }
    await proceed(ctx, current)
  }

const passing =
  ({ ports, proceed, refuse }: Shared): Act =>
  async (ctx, current, form) => {
    const standing = await standingOf(ports, ctx, current)
    const { attempt, step, proven } = standing
    const name = String(ctx.params.interlude)
    const interlude = ports.interludes.find((each) => each.name === name)
    const due = step.step === 'interlude' && step.name === name
    if (!due || proven === undefined || interlude === undefined) return await proceed(ctx, current)
    try {
      const outcome = await interlude.finish(proven, inputOf(form))
      if (typeof outcome === 'object') {
        await ports.attempts.pass(attempt.id, marks.enrolled)
        await ports.attempts.add(attempt.id, outcome)
      }
      if (outcome !== 'again') await ports.attempts.pass(attempt.id, name)
    } catch (error) {
      return await refuse(ctx, current, { standing, error, form })
    }
    await proceed(ctx, current)
  }

interface Turn {
  readonly factor: Factor
  readonly standing: Standing
}

/** The factor that was posted to, where the sign-in stands at proving something by it. Throws where nothing is to be proven. */
async function turnOf(ports: PagePorts, ctx: Context, current: Current): Promise<Turn | undefined> {
  const name = String(ctx.params.factor)
  const factor = ports.factors.find((each) => each.name === name)
  if (factor === undefined)
    throw new AppError('login.unknown_factor', 404, 'There is no such way to sign in.')
  const standing = await standingOf(ports, ctx, current)
  const { attempt, step } = standing
  if (current.interaction.prompt === 'consent' && !current.other && attempt.proofs.length === 0)
    throw wrongStep()
  const fits = step.step === 'prove' && step.factors.includes(name)
  return fits ? { factor, standing } : undefined
}

/** The browser gets a new name with it, so that nobody who copied the one before is trusted, too. */
async function trust(
  { trustedDevices, issuer }: PagePorts,
  ctx: Context,
  { attempt, sessionUid }: { readonly attempt: Attempt; readonly sessionUid: string | undefined },
): Promise<void> {
  const { id, userId, device, request } = attempt
  if (userId === undefined || device === undefined) return
  const renewed = await trustedDevices.remember({ userId, attempt: id, sessionUid, device, request })
  openDeviceCookies(issuer).replace(ctx, renewed)
}

/** Who has proven something in this very sign-in, beside what his session stands for. */
const provenSoFar = ({ userId, proofs }: Attempt): UserId | undefined =>
  proofs.some(({ factor }) => factor !== sessionFactor) ? userId : undefined

/** The session that stands for what was proven before. */
const sessionHeld = ({ proofs }: Attempt, { interaction }: Current): string | undefined =>
  proofs.some(({ factor }) => factor === sessionFactor) ? interaction.sessionUid : undefined

/** Remembers what was ticked beside a proof; a page that did not ask leaves it as it was. */
async function keepChoices({ attempts, interludes }: PagePorts, { id }: Attempt, form: Form): Promise<void> {
  if (form.keep_asked === 'yes' && form.keep !== 'yes') await attempts.pass(id, marks.brief)
  const capability = interludes.find(
    (each) => each.capability !== undefined && each.capability === form.able,
  )?.capability
  if (capability !== undefined) await attempts.pass(id, `${marks.able}${capability}`)
}

async function finish(
  { interactions, record, attempts }: PagePorts,
  ctx: Context,
  { standing, done }: { readonly standing: Standing; readonly done: Done },
): Promise<void> {
  const { attempt, because, passed } = standing
  const { clientId, request, proofs } = attempt
  const { userId, amr, acr, level, at } = done
  const isProven = provenSoFar(attempt) !== undefined
  // Ended since it was read: the sign-in begins anew. Whoever ends it later finds what is written from here on.
  if (isProven && !(await attempts.settle(attempt.id, userId))) return seeOther(ctx, attempt.path)
  if (!passed.includes(marks.told)) {
    if (isProven) await attempts.pass(attempt.id, marks.told)
    const detail = { amr, level, demanded: because, proven: proofs.map(({ factor }) => factor) }
    await record({ action: 'login.signed_in', outcome: 'success', userId, clientId, request, detail })
  }
  const remember = !passed.includes(marks.brief)
  await interactions.finishLogin(ctx, {
    userId,
    amr,
    acr,
    at,
    remember,
    ...(isProven && { attempt: attempt.id }),
  })
}

interface Refusal {
  readonly standing: Standing
  readonly error: unknown
  readonly form: Form
  readonly chosen?: string
}

/** Shows the form again with what was wrong; throws what is not about the attempt. */
function refusing({ ports, steps }: ActTools) {
  return async (ctx: Context, current: Current, refusal: Refusal): Promise<void> => {
    const { standing, form, error, chosen } = refusal
    const problem = problemOf(error, ports.views)
    if (problem === undefined) throw error
    const { code, status, retryAfterSeconds } = error as AppError
    const { userId } = standing.attempt
    const { clientId } = current.interaction
    const event = { clientId, request: factsOf(ctx), detail: { reason: code } }
    // What the throttle turns away is in the request's log line; rows for it would let a stranger fill the disk.
    if (code !== 'throttle.too_many_attempts')
      await ports.record({ action: 'login.refused', outcome: 'failure', ...event, ...(userId && { userId }) })
    ctx.status = status
    if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds))
    const refused: FormState = { problem, values: shownAgain(form) }
    // A wrong answer can have ended what it answers, so the step is asked for anew.
    const again = await standingOf(ports, ctx, current)
    if (again.step.step === 'done') return seeOther(ctx, `/interaction/${current.interaction.uid}`)
    await steps.show(ctx, current, { standing: again, refused, ...(chosen !== undefined && { chosen }) })
  }
}

const secret = /pass|code|credential|secret|^_/

/** What a form is filled with again; never what proves something. */
const shownAgain = (form: Form): Form =>
  Object.fromEntries(Object.entries(form).filter(([name]) => !secret.test(name)))

const own = new Set(['_csrf', 'keep', 'keep_asked', 'trust', 'able'])

/** What the form says to the factor; the rest is the sign-in's own. */
const inputOf = (form: Form): Form =>
  Object.fromEntries(Object.entries(form).filter(([name]) => !own.has(name)))

const wrongStep = (): AppError =>
  new AppError(
    'login.wrong_step',
    400,
    'No password is asked for at this step. Go back to the application and sign in again.',
  )
