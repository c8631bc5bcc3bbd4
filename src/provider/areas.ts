import { accessTokens } from './access-tokens.ts'
import { applicationLogout } from './application-logout.ts'
import type { Area } from './area.ts'
import { assertions } from './assertions.ts'
import { authorizationDetails } from './authorization-details.ts'
import { backchannelAuthentication } from './backchannel-authentication.ts'
import { certificates } from './certificates.ts'
import { deviceFlow } from './device-flow.ts'
import { dpopNonces } from './dpop-nonces.ts'
import { encryption } from './encryption.ts'
import { postedRequests } from './posted-requests.ts'
import { profiles } from './profiles.ts'
import { registration } from './registration.ts'
import { resourceServers } from './resource-servers.ts'
import { tokenExchange } from './token-exchange.ts'

/** Every area of the protocol that has a home of its own, a line each. */
export const areas: readonly Area[] = [
  profiles,
  postedRequests,
  encryption,
  certificates,
  dpopNonces,
  deviceFlow,
  backchannelAuthentication,
  tokenExchange,
  assertions,
  registration,
  applicationLogout,
  resourceServers,
  authorizationDetails,
  accessTokens,
]
