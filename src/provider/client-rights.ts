import type { KoaContextWithOIDC } from 'oidc-provider'
import { errors, Provider } from 'oidc-provider'
import type { Area } from './area.ts'

/**
 * Who asks in a way that his client was not registered for is told `unauthorized_client` (RFC 6749 §4.1.2.1, §5.2), where
 * the library says `invalid_request`.
 */
export const clientRights: Area = {
  extend({ Client }) {
    const { grantTypeAllowed, responseTypeAllowed } = Client.prototype
    Client.prototype.grantTypeAllowed = function allowed(type) {
      if (grantTypeAllowed.call(this, type)) return true
      if (type !== askedGrant(Provider.ctx)) return false
      throw new errors.UnauthorizedClient(`the grant type ${type} is not allowed for this client`)
    }
    Client.prototype.responseTypeAllowed = function allowed(type) {
      if (responseTypeAllowed.call(this, type)) return true
      throw new errors.UnauthorizedClient(`the response type ${type} is not allowed for this client`)
    }
  },
}

/** The grant that the request asks for, or begins. Whether a client may have another one is asked along the way, too. */
function askedGrant(ctx: KoaContextWithOIDC | undefined): unknown {
  switch (ctx?.oidc.route) {
    case 'token':
      return ctx.oidc.params?.grant_type
    case 'device_authorization':
      return 'urn:ietf:params:oauth:grant-type:device_code'
    case 'backchannel_authentication':
      return 'urn:openid:params:grant-type:ciba'
    default:
      return undefined
  }
}
