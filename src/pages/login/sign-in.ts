import type { Context } from 'koa'
import type { Attempt, Factor } from '../../features/feature.ts'
import { AppError } from '../../kernel/errors.ts'
import { newSecret, type UserId } from '../../kernel/ids.ts'
import type { PendingInteraction } from '../../provider/index.ts'
import type { ClientView, SignInModel, Text } from '../models.ts'
import { factsOf, type Pages } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { nextStep, type Policy } from './next-step.ts'

const deviceCookieSeconds = 400 * 86_400
const singleFactor: Policy = { factors: 1 }

export interface SignIn {
  show(ctx: Context, interaction: PendingInteraction, options: ShowOptions): Promise<void>
  /** Checks what was posted; goes on in the protocol, or shows the form again with what was wrong. */
  submit(ctx: Context, interaction: PendingInteraction, options: SubmitOptions): Promise<void>
}

export interface ShowOptions {
  /** Sign in as somebody else than the person of the session. */
  readonly other: boolean
  readonly identifier?: string | undefined
  readonly error?: Text
}

export interface SubmitOptions {
  readonly other: boolean
  readonly factor: Factor
  readonly form: Readonly<Record<string, string>>
}

export function openSignIn(ports: PagePorts, pages: Pages): SignIn {
  const { issuer, people, factors, interactions, record } = ports
  const secure = issuer.protocol === 'https:'
  const deviceCookie = secure ? '__Host-latchkey_device' : 'latchkey_device'

  const confirms = (interaction: PendingInteraction, other: boolean): string | undefined =>
    !other && interaction.prompt === 'login' ? interaction.userId : undefined

  const deviceOf = (ctx: Context): string | undefined => {
    const device = ctx.cookies.get(deviceCookie, { signed: false })
    return device !== undefined && /^[\w-]{43}$/.test(device) ? device : undefined
  }

  const show: SignIn['show'] = async (ctx, interaction, { other, identifier, error }) => {
    const path = `/interaction/${interaction.uid}`
    const known = confirms(interaction, other)
    const person = known === undefined ? undefined : await people.view(known)
    const model: SignInModel = {
      action: other ? `${path}/other/password` : `${path}/password`,
      abortAction: `${path}/abort`,
      client: await clientOf(ports, interaction),
      ...(person === undefined
        ? { identifier: identifier ?? interaction.loginHint ?? '' }
        : { identifier: person.email ?? person.username ?? person.name ?? '', reauthentication: true }),
      ...(error === undefined ? undefined : { error }),
    }
    if (deviceOf(ctx) === undefined) {
      ctx.cookies.set(deviceCookie, newSecret(), {
        httpOnly: true,
        sameSite: 'lax',
        secure,
        path: '/',
        signed: false,
        maxAge: deviceCookieSeconds * 1000,
      })
    }
    pages.answer(ctx, 'login/sign-in', interaction.direct ? withoutCancel(model) : model)
  }

  return {
    show,
    async submit(ctx, interaction, { other, factor, form }) {
      const request = factsOf(ctx)
      const { clientId } = interaction
      const userId = confirms(interaction, other) as UserId | undefined
      const device = deviceOf(ctx)
      const attempt: Attempt = {
        id: interaction.uid,
        clientId,
        proofs: [],
        request,
        ...(userId && { userId }),
        ...(device && { device }),
      }
      try {
        const step = nextStep([await factor.finish(attempt, inputOf(form))], singleFactor, factors)
        if (step.step !== 'done')
          throw new AppError('login.incomplete', 403, 'This sign-in needs another proof.')
        await record({
          action: 'login.signed_in',
          outcome: 'success',
          userId: step.userId,
          clientId,
          request,
          detail: { amr: step.amr },
        })
        await interactions.finishLogin(ctx, { ...step, remember: true })
      } catch (error) {
        const text = textOf(error)
        if (text === undefined) throw error
        const { code, status, retryAfterSeconds } = error as AppError
        await record({
          action: 'login.refused',
          outcome: 'failure',
          clientId,
          request,
          detail: { reason: code },
          ...(userId && { userId }),
        })
        ctx.status = status
        if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds))
        await show(ctx, interaction, { other, identifier: form.identifier, error: text })
      }
    },
  }
}

const withoutCancel = ({ abortAction: _, ...model }: SignInModel): SignInModel => model

const inputOf = ({ _csrf, ...input }: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  input

/** What the person is told; `undefined` for what is not about the attempt itself. */
function textOf(error: unknown): Text | undefined {
  if (!(error instanceof AppError)) return undefined
  if (error.code === 'passwords.invalid_credentials') return { key: 'error.sign-in.credentials' }
  if (error.code === 'throttle.too_many_attempts') {
    return {
      key: 'error.sign-in.too-many',
      params: { minutes: Math.max(1, Math.ceil((error.retryAfterSeconds ?? 60) / 60)) },
    }
  }
  return undefined
}

export async function clientOf(
  { clients, views }: PagePorts,
  { clientId, direct }: PendingInteraction,
): Promise<ClientView> {
  if (direct) return { name: views.brandName }
  return (await clients.view(clientId)) ?? { name: clientId }
}
