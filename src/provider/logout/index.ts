import { Provider } from 'oidc-provider'
import type { Area } from '../area.ts'

/** Telling applications that somebody signed out (back-channel and front-channel logout). */
export const applicationLogout: Area = {
  options: () => ({
    features: { backchannelLogout: { enabled: true } },
    extraClientMetadata: { properties: ['frontchannel_logout_uri', 'frontchannel_logout_session_required'] },
    // OpenID Connect Front-Channel Logout 1.0 §3; the library says the same of the back channel.
    discovery: { frontchannel_logout_supported: true, frontchannel_logout_session_supported: true },
  }),

  extend({ Client, IdToken }, { ports }) {
    const validate = IdToken.validate.bind(IdToken)
    // Same issuer, key, audience and subject: only its type tells a logout token from an ID token (RFC 8725 §3.11).
    IdToken.validate = async (jwt, client) => {
      const token = await validate(jwt, client)
      if (String(token.header.typ).toLowerCase() === 'logout+jwt') throw new Error('this is a logout token')
      return token
    }
    /** In place of the library's own single attempt, which the person would wait for. */
    async function backchannelLogout(
      this: { readonly clientId: string },
      userId: string,
      sid: string,
    ): Promise<void> {
      const oidc = Provider.ctx?.oidc
      const sessionUid = oidc?.session?.uid
      // Where the session ends, its applications are told with its end.
      if (oidc?.params?.logout || sessionUid === undefined || !sid) return
      await ports.applicationLogouts.tell({ clientId: this.clientId, userId, sid, sessionUid })
    }
    Object.assign(Client.prototype, { backchannelLogout })
  },
}
