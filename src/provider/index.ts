/**
 * Owns the protocol: oidc-provider, its options, its storage, and the doors through which pages finish what it started.
 * Does not own who people are, which clients exist or what pages look like; those come in through `ports.ts`.
 */
import './known-warning.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, Middleware } from 'koa'
import type { Job } from '../features/feature.ts'
import { directClientId } from './client-metadata.ts'
import { documentCache } from './documents.ts'
import { orUnavailable } from './errors.ts'
import { buildInstance, type Instance, outboundOf } from './instance.ts'
import { type Interactions, openInteractions } from './interactions.ts'
import type { ProviderDependencies } from './ports.ts'

export { type Artefacts, openArtefacts } from './artefacts.ts'
export type { FinishedLogin, Interactions, PendingInteraction, Trail } from './interactions.ts'
export { type Acr, acrValues } from './policy.ts'
export type {
  LogoutPage,
  Ports,
  ProviderEvents,
  ProviderFailure,
  ProviderPages,
  RememberedConsent,
} from './ports.ts'

/** Who is signed in in a browser. */
export interface SignedIn {
  readonly userId: string
  readonly since: Date
}

export interface ProviderHandle {
  readonly interactions: Interactions
  readonly jobs: readonly Job[]
  /** Who is signed in, by the session cookie. */
  signedIn(ctx: Context): Promise<SignedIn | undefined>
  /** Ends the session of this browser and what was given in it, except offline access. */
  signOut(ctx: Context): Promise<void>
  /** Where a browser goes to sign in to the server's own pages. */
  signInPath(options?: { readonly loginHint?: string }): string
  /** Starts it with the host's layers in front of the library; the returned listener serves HTTP. */
  start(
    middleware: readonly Middleware[],
  ): Promise<(request: IncomingMessage, response: ServerResponse) => void>
}

interface Running extends Instance {
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void
}

export function openProvider(dependencies: ProviderDependencies): ProviderHandle {
  const { ports, artefacts, issuer } = dependencies
  const outbound = outboundOf(dependencies)
  let layers: readonly Middleware[] = []
  let running: Promise<Running> | undefined
  let latest: Running | undefined

  async function build(): Promise<Running> {
    const instance = await buildInstance({
      ...dependencies,
      outbound,
      middleware: [...layers, documentCache()],
    })
    const callback = instance.provider.callback()
    latest = { ...instance, listener: (request, response) => void callback(request, response) }
    return latest
  }

  /** The provider with the keys of now: when their revision has moved, a new one takes over. */
  async function current(): Promise<Running> {
    const revision = ports.keys.revision()
    if (latest !== undefined && (revision === undefined || revision === latest.revision)) return latest
    running ??= build().finally(() => {
      running = undefined
    })
    return await running
  }

  const sessionOf = async (ctx: Context) => {
    const { provider } = await current()
    return await orUnavailable(() => provider.Session.get(ctx as Parameters<typeof provider.Session.get>[0]))
  }

  return {
    interactions: openInteractions(async () => (await current()).provider, artefacts),
    jobs: [
      {
        name: 'provider.remove_expired',
        everySeconds: 60,
        run: async () => ({ more: await artefacts.removeExpired() }),
      },
    ],

    async signedIn(ctx) {
      const { accountId, loginTs } = await sessionOf(ctx)
      if (accountId === undefined || (await ports.accounts.find(accountId)) === undefined) return undefined
      return { userId: accountId, since: new Date((loginTs ?? 0) * 1000) }
    },

    async signOut(ctx) {
      const { provider } = await current()
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

    async start(middleware) {
      layers = middleware
      await current()
      return (request, response) => {
        const revision = ports.keys.revision()
        if (latest !== undefined && (revision === latest.revision || revision === undefined))
          return latest.listener(request, response)
        // Keys have changed. Should reading them fail, the keys at hand still serve; the next request tries again.
        current().then(
          ({ listener }) => listener(request, response),
          () => latest?.listener(request, response),
        )
      }
    },
  }
}
