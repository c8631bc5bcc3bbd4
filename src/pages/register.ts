import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Attempt, Proof } from '../features/feature.ts'
import { AppError } from '../kernel/errors.ts'
import type { PendingInteraction } from '../provider/index.ts'
import type { Csrf } from './csrf.ts'
import { type FieldErrors, refusedForm } from './field-errors.ts'
import { readForm } from './forms.ts'
import { type InvitationCookie, openInvitationCookie } from './invitation-cookie.ts'
import type { LoginTools } from './login/index.ts'
import { clientOf } from './login/steps.ts'
import type { RegisterModel, RegistrationRefusedModel } from './models.ts'
import type { Pages } from './page.ts'
import type { PagePorts } from './ports.ts'
import { seeOther } from './see-other.ts'

interface Tools {
  readonly ports: PagePorts
  readonly pages: Pages
  readonly csrf: Csrf
  readonly login: LoginTools
}

type Form = Readonly<Record<string, string>>

/** A request about a new account, in the middle of the sign-in that will end with it. */
interface Current {
  readonly interaction: PendingInteraction
  readonly attempt: Attempt
  readonly form: Form
  /** What the link of an invitation carried that was opened in this browser. */
  readonly invitation: string | undefined
}

type Act = (ctx: Context, current: Current) => Promise<void>

/** `/register` and, within a sign-in, `/interaction/:uid/register`: people make their own account. */
export function registerRoutes(router: Router, ports: PagePorts, rest: Omit<Tools, 'ports'>): void {
  const tools = { ports, ...rest }
  const { registration } = ports
  const invitations = openInvitationCookie(ports.issuer)
  const within = opening(tools, invitations.read)
  const show = showing(tools)
  router.get('/register', beginning(tools, invitations))

  const path = '/interaction/:uid/register'
  router.get(path, within(false, show.form))
  router.get(`${path}/code`, within(false, show.code))

  /** Leads to the code that is awaited, or with the proof on in the sign-in. */
  const posted = (again: typeof show.form, work: (current: Current) => Promise<Proof | undefined>) =>
    within(true, async (ctx, current) => {
      const { attempt, interaction } = current
      try {
        const proof = await work(current)
        if (proof === undefined) return seeOther(ctx, `${attempt.path}/register/code`)
        invitations.forget(ctx)
        await rest.login.proceed(ctx, interaction, proof)
      } catch (error) {
        await again(ctx, current, refused(tools, ctx, error))
      }
    })

  router.post(
    path,
    posted(show.form, ({ attempt, form, invitation }) =>
      registration.begin(attempt, { form, ...(invitation !== undefined && { invitation }) }),
    ),
  )
  router.post(
    `${path}/code`,
    posted(show.code, ({ attempt, form }) => registration.finish(attempt, form.code ?? '')),
  )
  router.post(
    `${path}/again`,
    posted(show.code, async ({ attempt }) => void (await registration.again(attempt))),
  )
}

/** Keeps the invitation whose link was opened, and begins a sign-in to our own pages with the making of an account. */
const beginning =
  (tools: Tools, invitations: InvitationCookie) =>
  async (ctx: Context): Promise<void> => {
    const { registration, signIn } = tools.ports
    const { invitation } = ctx.query
    const signInPath = signIn.signInPath()
    if (registration.mode === 'closed') return refuse(ctx, tools, { reason: 'closed', signInPath })
    if (invitation !== undefined) {
      if (typeof invitation !== 'string' || !(await registration.isInvited(invitation)))
        return refuse(ctx, tools, { reason: 'ended', signInPath })
      invitations.keep(ctx, invitation)
    }
    ctx.redirect(signIn.signInPath({ register: true }))
  }

/** A sign-in of this browser in which nobody has proven anything yet; anything else is led back to it. */
const opening =
  ({ csrf, login }: Tools, invitationOf: (ctx: Context) => string | undefined) =>
  (posted: boolean, act: Act) =>
  async (ctx: Context): Promise<void> => {
    const { _csrf = '', ...form } = posted ? await readForm(ctx) : {}
    if (posted) csrf.verify(ctx, { _csrf })
    const opened = await login.openAttempt(ctx)
    if (opened === undefined) return
    const { interaction, attempt } = opened
    if (attempt.userId !== undefined || interaction.prompt === 'consent') return seeOther(ctx, attempt.path)
    await act(ctx, { interaction, attempt, form, invitation: invitationOf(ctx) })
  }

/** What is shown beside a form that was refused; throws what is none of the person's doing. */
function refused({ ports }: Tools, ctx: Context, error: unknown): FieldErrors {
  const errors = refusedForm(ctx, error, ports.views)
  if (errors === undefined && !isAboutAll(error)) throw error
  return errors ?? {}
}

const reasons: Readonly<Record<string, RegistrationRefusedModel['reason']>> = {
  'registrations.closed': 'closed',
  'registrations.invitation_needed': 'needed',
  'registrations.invitation_ended': 'ended',
}

const isAboutAll = (error: unknown): boolean =>
  error instanceof AppError && Object.hasOwn(reasons, error.code)

function refuse(ctx: Context, { pages }: Tools, model: RegistrationRefusedModel): void {
  ctx.status = 403
  pages.answer(ctx, 'registrations/refused', model)
}

function showing(tools: Tools) {
  const { ports, pages } = tools
  const { registration } = ports

  async function form(ctx: Context, current: Current, errors: FieldErrors = {}): Promise<void> {
    const { attempt, interaction, invitation } = current
    const client = await clientOf(ports, interaction)
    const signInPath = `${attempt.path}/other`
    try {
      const asked = await registration.form(invitation)
      const model: RegisterModel = {
        action: `${attempt.path}/register`,
        signInPath,
        client,
        form: asked,
        values: shownAgain(current.form),
        errors,
        first: firstOf(errors, asked.email === undefined ? 'email' : 'password'),
        ...(interaction.loginHint !== undefined && { loginHint: interaction.loginHint }),
        ...(interaction.direct ? {} : { abortAction: `${attempt.path}/abort` }),
      }
      pages.answer(ctx, 'registrations/form', model)
    } catch (error) {
      const reason = error instanceof AppError ? reasons[error.code] : undefined
      if (reason === undefined) throw error
      refuse(ctx, tools, { reason, client, signInPath })
    }
  }

  return {
    form,

    async code(ctx: Context, current: Current, errors: FieldErrors = {}): Promise<void> {
      const { attempt, interaction } = current
      const awaited = await registration.awaited(attempt)
      // Its time is over, or too many answers were wrong: the form says so, and begins again.
      if (awaited === undefined && ctx.method === 'GET') return seeOther(ctx, `${attempt.path}/register`)
      if (awaited === undefined) return await form(ctx, { ...current, form: {} }, errors)
      pages.answer(ctx, 'registrations/code', {
        action: `${attempt.path}/register/code`,
        againAction: `${attempt.path}/register/again`,
        changePath: `${attempt.path}/register`,
        client: await clientOf(ports, interaction),
        email: awaited.email,
        errors,
        ...(awaited.code !== undefined && { code: awaited.code }),
      })
    },
  }
}

const firstOf = (errors: FieldErrors, otherwise: string): string =>
  Object.keys(errors).find((name) => name !== 'form') ?? otherwise

const shownAgain = ({ password: _, code: __, ...values }: Form): Form => values
