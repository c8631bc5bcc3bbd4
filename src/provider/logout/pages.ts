import type { Middleware } from 'koa'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { clientOf } from '../client-metadata.ts'
import { ownPath } from '../own-pages.ts'
import type { SubjectOf } from '../pairwise.ts'
import type { ProviderPages } from '../ports.ts'

/** The pages of RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0). */
export const logoutPages = (pages: ProviderPages, subjectOf: SubjectOf) => ({
  async logoutSource(ctx: KoaContextWithOIDC): Promise<void> {
    const { session, provider } = ctx.oidc
    const xsrf = (session?.state as { secret?: string } | undefined)?.secret ?? ''
    const returnsTo = ctx.oidc.params?.post_logout_redirect_uri
    ctx.body = await pages.confirmLogout(ctx, {
      action: ownPath(provider, 'end_session_confirm'),
      xsrf,
      client: clientOf(ctx),
      userId: session?.accountId ?? '',
      confirmed: hintIsThisSession(ctx, subjectOf),
      returnsTo: typeof returnsTo === 'string' ? returnsTo : undefined,
    })
  },

  async postLogoutSuccessSource(ctx: KoaContextWithOIDC): Promise<void> {
    // The library ends here too when the person chose to stay signed in, and does not say which it was.
    const { accountId } = await ctx.oidc.provider.Session.get(ctx)
    ctx.type = 'html'
    ctx.body = pages.loggedOut(ctx, { client: clientOf(ctx), stillSignedIn: accountId !== undefined })
  },
})

/**
 * Where nobody is asked (nobody is signed in, or one person makes way for another) the library signs out by a page that
 * submits itself, bare and without words. Ours takes its place, and has a button for who has no script.
 */
export const ownLogoutForm =
  (pages: ProviderPages): Middleware =>
  async (ctx, next) => {
    await next()
    const oidc = ctx.oidc as KoaContextWithOIDC['oidc'] | undefined
    if (oidc?.session === undefined || typeof ctx.body !== 'string') return
    if (!ctx.body.includes(`<form method="post" action="${oidc.urlFor('end_session_confirm')}">`)) return
    const { secret } = oidc.session.state as { secret: string }
    const action = ownPath(oidc.provider, 'end_session_confirm')
    ctx.body = await pages.confirmLogout(ctx, { action, xsrf: secret, userId: '', confirmed: true })
  }

/** The library checks that the hint is a token of ours; that it is of this very session is checked here (§2, §6). */
function hintIsThisSession({ oidc }: KoaContextWithOIDC, subjectOf: SubjectOf): boolean {
  const payload = oidc.entities.IdTokenHint?.payload
  const { session, client } = oidc
  if (payload === undefined || session?.accountId === undefined || client === undefined) return false
  const sid = session.sidFor(client.clientId)
  return payload.sub === subjectOf(session.accountId, client) && sid !== undefined && payload.sid === sid
}
