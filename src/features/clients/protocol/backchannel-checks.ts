import { backchannelGrant } from './backchannel.ts'
import type { Check } from './check.ts'

export const backchannelChecks: readonly Check[] = [
  ({ grantTypes, backchannelTokenDeliveryMode, backchannelClientNotificationEndpoint }) => {
    const asks = (grantTypes as readonly string[]).includes(backchannelGrant)
    const told = backchannelTokenDeliveryMode ?? backchannelClientNotificationEndpoint
    return !asks && told !== undefined
      ? `A client without the grant ${backchannelGrant} asks for nobody who is elsewhere. Add the grant, or leave out backchannelTokenDeliveryMode and backchannelClientNotificationEndpoint.`
      : undefined
  },
  ({ backchannelTokenDeliveryMode: mode, backchannelClientNotificationEndpoint: endpoint }) => {
    if (mode === 'ping' && endpoint === undefined)
      return 'A client of the mode ping is told at its backchannelClientNotificationEndpoint. Give it one, or choose poll.'
    return mode !== 'ping' && endpoint !== undefined
      ? 'A client that polls is told nothing. Leave backchannelClientNotificationEndpoint out, or choose the mode ping.'
      : undefined
  },
]
