import type { Context, Middleware } from 'koa'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { policySource } from '../../kernel/origins.ts'
import type { Clients, ProviderPages } from '../ports.ts'

/** More than anybody signs in to in one session; a page of frames without end would help nobody. */
const mostFrames = 50

interface Tools {
  readonly issuer: string
  readonly clients: Pick<Clients, 'find'>
}

type Authorizations = Readonly<Record<string, { readonly sid?: string; readonly grantId?: string }>>

/** The addresses that tell the applications of a session in the browser (OpenID Connect Front-Channel Logout 1.0 §3). */
export async function logoutFrames(
  { issuer, clients }: Tools,
  authorizations: Authorizations = {},
): Promise<readonly string[]> {
  const frames = await Promise.all(
    Object.entries(authorizations).map(async ([clientId, { sid, grantId }]) => {
      if (sid === undefined || grantId === undefined) return []
      const uri = (await clients.find(clientId))?.frontchannelLogoutUri
      if (uri === undefined) return []
      const url = new URL(uri)
      url.searchParams.set('iss', issuer)
      url.searchParams.set('sid', sid)
      return [url.href]
    }),
  )
  return frames.flat().slice(0, mostFrames)
}

/** What a sign-out at one of our own pages leaves for the answer to it. */
export const leaveFrames = (ctx: Context, frames: readonly string[]): void => {
  ctx.state.logoutFrames = frames
}

/**
 * Where a sign-out would lead the browser on at once, a page comes in between that tells the applications in hidden frames;
 * its policy lets it frame their origins alone. It leads on by itself, also without scripts.
 */
export const tellInFrames =
  (tools: Tools, pages: ProviderPages): Middleware =>
  async (ctx, next) => {
    await next()
    if (ctx.status !== 303) return
    const frames = (ctx.state.logoutFrames as readonly string[] | undefined) ?? (await confirmed(tools, ctx))
    if (frames.length === 0) return
    const continueTo = ctx.response.get('Location')
    ctx.remove('Location')
    ctx.status = 200
    ctx.type = 'html'
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Refresh', `${waitSeconds}; url=${continueTo}`)
    const origins = [...new Set(frames.flatMap((frame) => policySource(frame) ?? []))]
    const policy = ctx.response.get('Content-Security-Policy')
    ctx.set('Content-Security-Policy', `${policy};frame-src ${origins.join(' ')}`)
    ctx.body = pages.tellingApplications(ctx, { frames, continueTo })
  }

/** Browsers count from when the page has loaded, its frames included. */
const waitSeconds = 1

/** The frames of a logout that an application started and the person has confirmed. */
async function confirmed(tools: Tools, ctx: Context): Promise<readonly string[]> {
  const oidc = ctx.oidc as KoaContextWithOIDC['oidc'] | undefined
  if (oidc?.route !== 'end_session_confirm' || !oidc.params?.logout) return []
  return await logoutFrames(tools, oidc.session?.authorizations as Authorizations | undefined)
}
