import type { Context } from 'koa'
import { isSecret } from '../kernel/ids.ts'

/** The invitation whose link was opened in this browser, until an account was made with it or the browser is closed. */
export interface InvitationCookie {
  read(ctx: Context): string | undefined
  keep(ctx: Context, invitation: string): void
  forget(ctx: Context): void
}

export function openInvitationCookie(issuer: URL): InvitationCookie {
  const secure = issuer.protocol === 'https:'
  const name = secure ? '__Host-latchkey_invitation' : 'latchkey_invitation'
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/', signed: false } as const
  return {
    read(ctx) {
      const invitation = ctx.cookies.get(name, { signed: false })
      return invitation !== undefined && isSecret(invitation) ? invitation : undefined
    },
    keep: (ctx, invitation) => void ctx.cookies.set(name, invitation, options),
    forget: (ctx) => void ctx.cookies.set(name, null, options),
  }
}
