import type { Context } from 'koa'
import type { Level } from '../kernel/levels.ts'
import { acrOf, levelOf } from './assurance.ts'
import { directClientId } from './client-metadata.ts'
import type { CurrentInstance } from './current-instance.ts'
import { orUnavailable } from './errors.ts'
import { leaveFrames, logoutFrames } from './logout/frames.ts'
import { ownPage } from './own-pages.ts'
import type { ProviderDependencies } from './ports.ts'

/** Who is signed in in a browser. */
export interface SignedIn {
  readonly userId: string
  readonly sessionUid: string
  /** When he last proved who he is, in this session. */
  readonly authenticatedAt: Date
  /** What was proven then. */
  readonly level: Level
}

export interface SignInRequest {
  readonly loginHint?: string | undefined
  /** A path of our own pages to lead back to, with its query; `/` where absent or not ours. */
  readonly returnTo?: string | undefined
  /** Asks for a proof now, however lately there was one. */
  readonly fresh?: boolean
  /** Begins with the making of an account (OpenID Connect Prompt Create 1.0). */
  readonly register?: boolean
  /** Asks for a proof that is worth so much. */
  readonly level?: Level
}

/** Sessions, for the server's own pages. */
export interface SignInDoors {
  /** Who is signed in, by the session cookie. */
  signedIn(ctx: Context): Promise<SignedIn | undefined>
  /** Ends the session of this browser and what was given in it, except offline access. */
  signOut(ctx: Context): Promise<void>
  /** Where a browser goes to sign in to the server's own pages. */
  signInPath(request?: SignInRequest): string
}

export function openSignInDoors(
  { issuer, ports }: ProviderDependencies,
  current: CurrentInstance,
): SignInDoors {
  const sessionOf = async (ctx: Context) => {
    const { provider } = await current.get()
    return await orUnavailable(() => provider.Session.get(ctx as Parameters<typeof provider.Session.get>[0]))
  }

  return {
    async signedIn(ctx) {
      const { accountId, loginTs, uid, acr } = await sessionOf(ctx)
      if (accountId === undefined || (await ports.accounts.find(accountId)) === undefined) return undefined
      return {
        userId: accountId,
        sessionUid: uid,
        authenticatedAt: new Date((loginTs ?? 0) * 1000),
        level: levelOf(acr) ?? 'single-factor',
      }
    },

    async signOut(ctx) {
      const { provider } = await current.get()
      const session = await sessionOf(ctx)
      leaveFrames(ctx, await logoutFrames({ issuer, clients: ports.clients }, session.authorizations))
      await session.destroy()
      ctx.cookies.set(provider.cookieName('session'), null, { path: '/' })
    },

    signInPath({ loginHint, returnTo, fresh = false, register = false, level } = {}) {
      const query = new URLSearchParams({
        client_id: directClientId,
        response_type: 'none',
        scope: 'openid',
        redirect_uri: `${issuer}${(returnTo && ownPage(returnTo)) || '/'}`,
      })
      if (fresh) query.set('prompt', 'login')
      if (register) query.set('prompt', 'create')
      if (level !== undefined) query.set('acr_values', acrOf(level))
      if (loginHint !== undefined) query.set('login_hint', loginHint)
      return `/auth?${query}`
    },
  }
}
