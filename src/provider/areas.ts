import { accessTokens } from './access-tokens/index.ts'
import type { Area } from './area.ts'
import { assertions } from './assertions/index.ts'
import { authorizationDetails } from './authorization-details/index.ts'
import { backchannelAuthentication } from './backchannel/index.ts'
import { certificates } from './certificates/index.ts'
import { clientRights } from './client-rights.ts'
import { deviceFlow } from './device/index.ts'
import { dpopNonces } from './dpop-nonces.ts'
import { emptySecrets } from './empty-secrets.ts'
import { encryption } from './encryption/index.ts'
import { applicationLogout } from './logout/index.ts'
import { postedRequests } from './posted-requests.ts'
import { profiles } from './profiles/index.ts'
import { registration } from './registration/index.ts'
import { resourceServers } from './resource-servers.ts'
import { tokenExchange } from './token-exchange/index.ts'

/** Every area of the protocol that has a home of its own, a line each. */
export const areas: readonly Area[] = [
  clientRights,
  profiles,
  postedRequests,
  encryption,
  certificates,
  dpopNonces,
  deviceFlow,
  backchannelAuthentication,
  tokenExchange,
  assertions,
  // After the assertions, so that what it makes of a body is what they read.
  emptySecrets,
  registration,
  applicationLogout,
  resourceServers,
  authorizationDetails,
  accessTokens,
]
