import type { KoaContextWithOIDC } from 'oidc-provider'
import type { AppError } from '../../kernel/errors.ts'
import type { Payload } from '../artefacts/payload.ts'
import { clientOf } from '../client-metadata.ts'
import type { Ports } from '../ports.ts'
import type { CodeProblem, DeviceFacts } from './ports.ts'

interface Failure {
  readonly out?: { readonly error?: string; readonly error_description?: string } | undefined
  readonly error?: unknown
}

/** The library's errors about a code, by their names. */
const problems: Readonly<Record<string, CodeProblem>> = {
  NoCodeError: 'missing',
  NotFoundError: 'unknown',
  ExpiredError: 'expired',
  AlreadyUsedError: 'used',
  AlreadyAnswered: 'used',
  TooManyGuesses: 'too_many',
}

/** The library asks for a code with this, and tells with it of everything that ended otherwise than by an approval. */
export async function deviceCodeInput(
  ports: Ports,
  ctx: KoaContextWithOIDC,
  failure: Failure,
): Promise<void> {
  ctx.type = 'html'
  const { out, error } = failure
  const name = error instanceof Error ? error.constructor.name : ''
  // The page needs no session, so none is made for it.
  const session = ctx.oidc.session as { new?: true; touched?: boolean } | undefined
  if (session?.new === true) session.touched = false
  if (name === 'AbortedError') return await denied(ports, ctx)
  const problem =
    problems[name] ?? (ctx.oidc.route === 'code_verification' && ctx.status === 400 ? 'stale' : undefined)
  if (out !== undefined && problem === undefined) {
    ctx.body = ports.pages.error(ctx, {
      error: name === 'SessionNotFound' ? 'session_not_found' : (out.error ?? 'server_error'),
      description: out.error_description,
      status: ctx.status,
      client: clientOf(ctx),
    })
    return
  }
  if (out !== undefined && ctx.status < 400) ctx.status = 400
  const wait = name === 'TooManyGuesses' ? ((error as Error).cause as AppError) : undefined
  if (wait?.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(wait.retryAfterSeconds))
  const minutes = wait?.params.minutes
  const typed = (ctx.oidc.params as Payload | undefined)?.user_code
  ctx.body = ports.devices.pages.enter(ctx, {
    problem: problem ?? 'missing',
    code: typeof typed === 'string' ? typed : '',
    ...(typeof minutes === 'number' && { minutes }),
  })
}

export async function deviceApproved(ports: Ports, ctx: KoaContextWithOIDC): Promise<void> {
  const { session, client, deviceCode } = ctx.oidc
  await ports.devices.answered(ctx, {
    approved: true,
    userId: session?.accountId,
    clientId: client?.clientId,
    device: deviceCode?.deviceInfo as DeviceFacts | undefined,
  })
  ctx.type = 'html'
  ctx.body = ports.devices.pages.approved(ctx, { client: clientOf(ctx) })
}

async function denied(ports: Ports, ctx: KoaContextWithOIDC): Promise<void> {
  const { provider, entities, session } = ctx.oidc
  const interaction = entities.Interaction
  const code =
    ctx.oidc.deviceCode ??
    (interaction?.deviceCode === undefined
      ? undefined
      : await provider.DeviceCode.find(interaction.deviceCode, { ignoreExpiration: true }))
  const client = code?.clientId === undefined ? undefined : await provider.Client.find(code.clientId)
  await ports.devices.answered(ctx, {
    approved: false,
    userId: session?.accountId,
    clientId: code?.clientId,
    device: code?.deviceInfo as DeviceFacts | undefined,
  })
  ctx.status = 200
  ctx.body = ports.devices.pages.denied(ctx, {
    client: client && { name: client.clientName ?? client.clientId },
  })
}
