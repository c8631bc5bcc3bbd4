import type { Context } from 'koa'
import { directClientId } from './client-metadata.ts'
import type { CurrentInstance } from './current-instance.ts'
import { orUnavailable } from './errors.ts'
import type { ProviderDependencies } from './ports.ts'

/** Who is signed in in a browser. */
export interface SignedIn {
  readonly userId: string
  readonly since: Date
}

/** Sessions, for the server's own pages. */
export interface SignInDoors {
  /** Who is signed in, by the session cookie. */
  signedIn(ctx: Context): Promise<SignedIn | undefined>
  /** Ends the session of this browser and what was given in it, except offline access. */
  signOut(ctx: Context): Promise<void>
  /** Where a browser goes to sign in to the server's own pages. */
  signInPath(options?: { readonly loginHint?: string }): string
}

export function openSignInDoors(
  { issuer, ports, artefacts }: ProviderDependencies,
  current: CurrentInstance,
): SignInDoors {
  const sessionOf = async (ctx: Context) => {
    const { provider } = await current.get()
    return await orUnavailable(() => provider.Session.get(ctx as Parameters<typeof provider.Session.get>[0]))
  }

  return {
    async signedIn(ctx) {
      const { accountId, loginTs } = await sessionOf(ctx)
      if (accountId === undefined || (await ports.accounts.find(accountId)) === undefined) return undefined
      return { userId: accountId, since: new Date((loginTs ?? 0) * 1000) }
    },

    async signOut(ctx) {
      const { provider } = await current.get()
      const session = await sessionOf(ctx)
      for (const [clientId, { grantId }] of Object.entries(session.authorizations ?? {})) {
        if (grantId !== undefined && session.authorizationFor(clientId)?.persistsLogout !== true)
          await artefacts.endGrant(grantId)
      }
      await session.destroy()
      ctx.cookies.set(provider.cookieName('session'), null, { path: '/' })
    },

    signInPath({ loginHint } = {}) {
      const query = new URLSearchParams({
        client_id: directClientId,
        response_type: 'none',
        scope: 'openid',
        redirect_uri: new URL('/', issuer).href,
      })
      if (loginHint !== undefined) query.set('login_hint', loginHint)
      return `/auth?${query}`
    },
  }
}
