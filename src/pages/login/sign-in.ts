import type { Context } from 'koa'
import type { Attempt, Factor, Proof } from '../../features/feature.ts'
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
  const devices = deviceCookies(ports.issuer)
  const show = showing(ports, pages, devices)
  const refuse = refusing(ports, show)

  return {
    show,
    async submit(ctx, interaction, options) {
      const userId = confirms(interaction, options.other) as UserId | undefined
      const attempt = attemptOf(ctx, interaction, { userId, device: devices.read(ctx) })
      try {
        const proof = await options.factor.finish(attempt, inputOf(options.form))
        await finish(ports, ctx, { proof, attempt })
      } catch (error) {
        await refuse(ctx, interaction, { ...options, userId, error })
      }
    },
  }
}

/** Who the sign-in is to confirm; `undefined` where anybody may sign in. */
const confirms = (interaction: PendingInteraction, other: boolean): string | undefined =>
  !other && interaction.prompt === 'login' ? interaction.userId : undefined

interface Known {
  readonly userId: UserId | undefined
  readonly device: string | undefined
}

const attemptOf = (
  ctx: Context,
  { uid, clientId }: PendingInteraction,
  { userId, device }: Known,
): Attempt => ({
  id: uid,
  clientId,
  proofs: [],
  request: factsOf(ctx),
  ...(userId && { userId }),
  ...(device && { device }),
})

interface DeviceCookies {
  read(ctx: Context): string | undefined
  /** Gives the browser one, if it has none. */
  ensure(ctx: Context): void
}

/** By which a browser is known in which an account has been used before; random, and only looked up. */
function deviceCookies(issuer: URL): DeviceCookies {
  const secure = issuer.protocol === 'https:'
  const name = secure ? '__Host-latchkey_device' : 'latchkey_device'
  const read = (ctx: Context): string | undefined => {
    const device = ctx.cookies.get(name, { signed: false })
    return device !== undefined && /^[\w-]{43}$/.test(device) ? device : undefined
  }
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/', signed: false } as const
  return {
    read,
    ensure(ctx) {
      if (read(ctx) === undefined)
        ctx.cookies.set(name, newSecret(), { ...options, maxAge: deviceCookieSeconds * 1000 })
    },
  }
}

function showing(ports: PagePorts, pages: Pages, devices: DeviceCookies): SignIn['show'] {
  return async (ctx, interaction, { other, identifier, error }) => {
    const path = `/interaction/${interaction.uid}`
    const known = confirms(interaction, other)
    const person = known === undefined ? undefined : await ports.people.view(known)
    const model: SignInModel = {
      action: other ? `${path}/other/password` : `${path}/password`,
      abortAction: `${path}/abort`,
      client: await clientOf(ports, interaction),
      ...(person === undefined
        ? { identifier: identifier ?? interaction.loginHint ?? '' }
        : { identifier: person.email ?? person.username ?? person.name ?? '', reauthentication: true }),
      ...(error === undefined ? undefined : { error }),
    }
    devices.ensure(ctx)
    pages.answer(ctx, 'login/sign-in', interaction.direct ? withoutCancel(model) : model)
  }
}

interface Proven {
  readonly proof: Proof
  readonly attempt: Attempt
}

async function finish(
  { factors, interactions, record }: PagePorts,
  ctx: Context,
  { proof, attempt }: Proven,
): Promise<void> {
  const step = nextStep([...attempt.proofs, proof], singleFactor, factors)
  if (step.step !== 'done') throw new AppError('login.incomplete', 403, 'This sign-in needs another proof.')
  const { clientId, request } = attempt
  const event = { userId: step.userId, clientId, request, detail: { amr: step.amr } }
  await record({ action: 'login.signed_in', outcome: 'success', ...event })
  await interactions.finishLogin(ctx, { ...step, remember: true })
}

interface Refusal extends SubmitOptions {
  readonly userId: UserId | undefined
  readonly error: unknown
}

/** Shows the form again with what was wrong; throws what is not about the attempt. */
function refusing({ record }: PagePorts, show: SignIn['show']) {
  return async (ctx: Context, interaction: PendingInteraction, refusal: Refusal): Promise<void> => {
    const { other, form, userId, error } = refusal
    const text = textOf(error)
    if (text === undefined) throw error
    const { code, status, retryAfterSeconds } = error as AppError
    const event = { clientId: interaction.clientId, request: factsOf(ctx), detail: { reason: code } }
    // What the throttle turns away is in the request's log line; rows for it would let a stranger fill the disk.
    if (code !== 'throttle.too_many_attempts')
      await record({ action: 'login.refused', outcome: 'failure', ...event, ...(userId && { userId }) })
    ctx.status = status
    if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds))
    await show(ctx, interaction, { other, identifier: form.identifier, error: text })
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
