import type { Context } from 'koa'
import { isSecret } from '../kernel/ids.ts'
import { ownCookie } from './own-cookie.ts'

/** The invitation whose link was opened in this browser, until an account was made with it or the browser is closed. */
export interface InvitationCookie {
  read(ctx: Context): string | undefined
  keep(ctx: Context, invitation: string): void
  forget(ctx: Context): void
}

export function openInvitationCookie(issuer: URL): InvitationCookie {
  const cookie = ownCookie(issuer, 'invitation')
  return {
    read(ctx) {
      const invitation = cookie.read(ctx)
      return invitation !== undefined && isSecret(invitation) ? invitation : undefined
    },
    keep: cookie.write,
    forget: cookie.forget,
  }
}
