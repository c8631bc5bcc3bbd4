import type { Context } from 'koa'
import type { Interaction, Provider } from 'oidc-provider'
import type { AuthorizationDetail } from '../kernel/authorization-details.ts'
import { AppError } from '../kernel/errors.ts'
import type { Level } from '../kernel/levels.ts'
import type { Artefacts } from './artefacts/artefacts.ts'
import type { Payload } from './artefacts/payload.ts'
import { type Acr, askedLevels, levelOf } from './assurance.ts'
import { directClientId } from './client-metadata.ts'
import { deviceConfirmationReason, type WaitingDevice, waitingDevice } from './device/confirmation.ts'
import { orUnavailable } from './errors.ts'
import { grantOf } from './grants/known-grants.ts'
import { ownPath } from './own-pages.ts'
import type { RememberedConsent } from './ports.ts'

/** What the pages may know of and do with an authorization request that waits for its person. */
export interface Interactions {
  /**
   * The interaction that this browser started. Throws `interaction.not_here` where it has ended, has expired or belongs to
   * another browser; opening it elsewhere changes nothing.
   */
  open(ctx: Context, uid: string): Promise<PendingInteraction>
  /** What is left of an interaction that `open` refused: which client it was for, and how it stands. */
  trail(ctx: Context, uid: string): Promise<Trail | undefined>
  finishLogin(ctx: Context, login: FinishedLogin): Promise<void>
  /** Gives the client what was allowed; answers with the redirect back into the protocol. */
  finishConsent(ctx: Context, interaction: PendingInteraction, allowed: RememberedConsent): Promise<void>
  /** Ends with `access_denied` at the client. */
  abort(ctx: Context): Promise<void>
}

export interface Trail {
  readonly clientId: string | undefined
  /** It waits for its person, in another browser. */
  readonly pending: boolean
  /** Its person has ended it; otherwise time has. */
  readonly finished: boolean
  /** Begins the same authorization request again; only in the browser that began it. */
  readonly restartPath: string | undefined
}

export interface PendingInteraction {
  readonly uid: string
  readonly prompt: 'login' | 'consent'
  /** Why the person is asked: `no_session`, `max_age`, `login_prompt`, … */
  readonly reasons: readonly string[]
  readonly clientId: string
  /** True where the person signs in to Latchkey's own pages. */
  readonly direct: boolean
  readonly redirectUri: string | undefined
  readonly loginHint: string | undefined
  readonly uiLocales: string | undefined
  /** The levels that the request would be content with. */
  readonly requestedLevels: readonly Level[]
  /** The person of the session, if there is one. */
  readonly userId: string | undefined
  /** What the session has proven, where that counts: the person is only asked for more. */
  readonly held: HeldProof | undefined
  /** The session that the browser has, whoever is in it. */
  readonly sessionUid: string | undefined
  /** The request wants to see the person prove who he is now, whatever his session says: `prompt=login`, `max_age`. */
  readonly provesAnew: boolean
  /** The request asks to make an account (OpenID Connect Prompt Create 1.0). */
  readonly registers: boolean
  readonly grantId: string | undefined
  /** What the request asks for and has not been given; all it asks for where the person `decidesAnew`. */
  readonly missing: RememberedConsent
  /** Asked whatever was allowed before: `prompt=consent`, or an application that could be an impostor. */
  readonly decidesAnew: boolean
  readonly offlineAccess: boolean
  /** The device that is to be signed in (RFC 8628). */
  readonly device: WaitingDevice | undefined
}

export interface HeldProof {
  readonly amr: readonly string[]
  readonly level: Level
  readonly at: Date
}

export interface FinishedLogin {
  readonly userId: string
  readonly amr: readonly string[]
  readonly acr: Acr
  readonly at: Date
  /** Keep the session when the browser closes. */
  readonly remember: boolean
  /** What stands for the sign-in until its session is written; absent where the session that is there proves all of it. */
  readonly attempt?: string
}

export function openInteractions(current: () => Promise<Provider>, artefacts: Artefacts): Interactions {
  return {
    async open(ctx, uid) {
      const provider = await current()
      const interaction = await detailsOf(provider, ctx)
      if (interaction.uid !== uid) throw notHere()
      const device = await orUnavailable(() => waitingDevice(provider, interaction))
      return { ...describe(interaction), held: await heldBy(provider, interaction), device }
    },

    async trail(ctx, uid) {
      const provider = await current()
      const trail = await orUnavailable(() => artefacts.interactionTrail(uid))
      if (trail === undefined) return undefined
      const sameBrowser = ctx.cookies.get(provider.cookieName('interaction'), { signed: true }) === uid
      const query = new URLSearchParams(
        Object.entries(trail.params).filter(
          (entry): entry is [string, string] => typeof entry[1] === 'string',
        ),
      )
      return {
        clientId: trail.clientId,
        pending: trail.pending,
        finished: trail.finished,
        restartPath: sameBrowser ? restartPath(provider, trail.forDevice, query) : undefined,
      }
    },

    async finishLogin(ctx, { userId, amr, acr, at, remember, attempt }) {
      const provider = await current()
      const ts = Math.floor(at.getTime() / 1000)
      const login = { accountId: userId, amr: [...amr], acr, remember, ts, attempt }
      // Who was asked to make an account is done with that, too.
      await goOn(provider, ctx, { login, create: {} })
    },

    async finishConsent(ctx, interaction, allowed) {
      const provider = await current()
      const { grantId, userId, clientId } = interaction
      const found = grantId === undefined ? undefined : await provider.Grant.find(grantId)
      const owner = { accountId: userId ?? '', clientId }
      const { jti } = await grantOf(provider, owner, { existing: found, allowed })
      await goOn(provider, ctx, { consent: { grantId: jti } })
    },

    async abort(ctx) {
      const provider = await current()
      await goOn(provider, ctx, {
        error: 'access_denied',
        error_description: 'the person cancelled the sign-in',
      })
    },
  }
}

/** A device has begun its request itself; its person types the code again. */
const restartPath = (provider: Provider, forDevice: boolean, query: URLSearchParams): string =>
  forDevice ? ownPath(provider, 'code_verification') : `${ownPath(provider, 'authorization')}?${query}`

const notHere = (cause?: unknown): AppError =>
  new AppError(
    'interaction.not_here',
    400,
    'This sign-in is not under way in this browser. Go back to the application and sign in again.',
    { cause },
  )

async function detailsOf(provider: Provider, ctx: Context): Promise<Interaction> {
  try {
    return await orUnavailable(() => provider.interactionDetails(ctx.req, ctx.res))
  } catch (error) {
    if (error instanceof Error && error.name === 'SessionNotFound') throw notHere(error)
    throw error
  }
}

async function goOn(
  provider: Provider,
  ctx: Context,
  result: Parameters<Provider['interactionResult']>[2],
): Promise<void> {
  const returnTo = await provider.interactionResult(ctx.req, ctx.res, result, {
    mergeWithLastSubmission: true,
  })
  ctx.status = 303
  ctx.redirect(returnTo)
}

function describe(interaction: Interaction): Omit<PendingInteraction, 'held' | 'device'> {
  const { params, prompt, session } = interaction
  const details = prompt.details as Payload
  const text = (value: unknown): string | undefined =>
    typeof value === 'string' && value !== '' ? value : undefined
  const decidesAnew = prompt.reasons.some(
    (reason) =>
      reason === 'consent_prompt' || reason === 'native_client_prompt' || reason === deviceConfirmationReason,
  )
  const missing = decidesAnew ? (details.asked as RememberedConsent) : missingOf(details)
  return {
    uid: interaction.uid,
    prompt: prompt.name === 'consent' ? 'consent' : 'login',
    reasons: prompt.reasons,
    clientId: String(params.client_id),
    direct: params.client_id === directClientId,
    redirectUri: text(params.redirect_uri),
    loginHint: text(params.login_hint),
    uiLocales: text(params.ui_locales),
    requestedLevels: askedLevels(params),
    userId: session?.accountId,
    sessionUid: session?.uid,
    registers: prompt.name === 'create',
    provesAnew: text(params.prompt)?.split(' ').includes('login') === true || params.max_age !== undefined,
    grantId: interaction.grantId,
    missing,
    decidesAnew,
    offlineAccess: missing.scopes.includes('offline_access'),
  }
}

/** A sign-in counts where the session has one that is only worth too little; whoever is asked anew proves all anew. */
async function heldBy(provider: Provider, { prompt, session }: Interaction): Promise<HeldProof | undefined> {
  if (session?.accountId === undefined || session.uid === undefined) return undefined
  if (prompt.name !== 'login' || prompt.reasons.some((reason) => reason !== 'assurance')) return undefined
  const current = await orUnavailable(() => provider.Session.findByUid(session.uid ?? ''))
  if (current?.accountId !== session.accountId || current.loginTs === undefined) return undefined
  const { amr = [], acr, loginTs } = current as { amr?: readonly string[]; acr?: string; loginTs: number }
  return { amr, level: levelOf(acr) ?? 'single-factor', at: new Date(loginTs * 1000) }
}

const missingOf = (details: Payload): RememberedConsent => ({
  scopes: (details.missingOIDCScope ?? []) as readonly string[],
  claims: (details.missingOIDCClaims ?? []) as readonly string[],
  resources: (details.missingResourceScopes ?? {}) as Readonly<Record<string, readonly string[]>>,
  ...(details.rar !== undefined && { authorizationDetails: details.rar as readonly AuthorizationDetail[] }),
})
