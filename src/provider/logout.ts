import type { KoaContextWithOIDC } from 'oidc-provider'
import { clientOf } from './client-metadata.ts'
import type { ProviderPages } from './ports.ts'

/** The pages of RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0). */
export const logoutPages = (pages: ProviderPages) => ({
  async logoutSource(ctx: KoaContextWithOIDC): Promise<void> {
    const { session, provider } = ctx.oidc
    const xsrf = (session?.state as { secret?: string } | undefined)?.secret ?? ''
    const returnsTo = ctx.oidc.params?.post_logout_redirect_uri
    ctx.body = await pages.confirmLogout(ctx, {
      action: provider.pathFor('end_session_confirm'),
      xsrf,
      client: clientOf(ctx),
      userId: session?.accountId ?? '',
      confirmed: hintIsThisSession(ctx),
      returnsTo: typeof returnsTo === 'string' ? returnsTo : undefined,
    })
  },

  async postLogoutSuccessSource(ctx: KoaContextWithOIDC): Promise<void> {
    ctx.type = 'html'
    ctx.body = pages.loggedOut(ctx, clientOf(ctx))
  },
})

/** The library checks that the hint is a token of ours; that it is of this very session is checked here (§2, §6). */
function hintIsThisSession({ oidc }: KoaContextWithOIDC): boolean {
  const payload = oidc.entities.IdTokenHint?.payload
  const { session, client } = oidc
  if (payload === undefined || session === undefined || client === undefined) return false
  const sid = session.sidFor(client.clientId)
  return payload.sub === session.accountId && sid !== undefined && payload.sid === sid
}
