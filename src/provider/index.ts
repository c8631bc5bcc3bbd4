/**
 * Owns the protocol: oidc-provider, its options, its storage, and the doors through which pages finish what it started.
 * Does not own who people are, which clients exist or what pages look like; those come in through `ports.ts`.
 */
import './known-warning.ts'
import type { Job } from '../features/feature.ts'
import { openBackchannelDoors } from './backchannel/doors.ts'
import type { BackchannelDoors } from './backchannel/ports.ts'
import { type Layers, type Listener, openCurrentInstance } from './current-instance.ts'
import { type Interactions, openInteractions } from './interactions.ts'
import { openLogoutTokens } from './logout/tokens.ts'
import type { ProviderDependencies } from './ports.ts'
import { openSignInDoors, type SignInDoors } from './sign-in-doors.ts'

export { type Artefacts, openArtefacts } from './artefacts/artefacts.ts'
export type { Acr } from './assurance.ts'
export type {
  AnswerNotification,
  BackchannelDoors,
  BackchannelPorts,
  WaitingRequest,
} from './backchannel/ports.ts'
export { certificateEndpoints, endpointsShowingPages } from './certificates/index.ts'
export type { CodeProblem, DevicePages, DevicePorts } from './device/ports.ts'
export type { FinishedLogin, Interactions, PendingInteraction, Trail } from './interactions.ts'
export { type OutboundFetch, openOutbound } from './outbound.ts'
export type {
  LogoutPage,
  Ports,
  ProviderEvents,
  ProviderFailure,
  ProviderPages,
  RememberedConsent,
} from './ports.ts'
export type { KnownAccess, KnownSession } from './sessions/directory.ts'
export type { SessionsEnded } from './sessions/ending.ts'
export type { SignedIn, SignInRequest } from './sign-in-doors.ts'

export interface ProviderHandle extends SignInDoors {
  readonly interactions: Interactions
  readonly backchannel: BackchannelDoors
  readonly jobs: readonly Job[]
  /** Starts it with the host's layers in front of the library; the returned listener serves HTTP. */
  start(layers: Layers): Promise<Listener>
}

export function openProvider(dependencies: ProviderDependencies): ProviderHandle {
  const { artefacts } = dependencies
  const current = openCurrentInstance(dependencies)
  const tokens = { provider: async () => (await current.get()).provider, outbound: dependencies.outbound }
  dependencies.ports.applicationLogouts.connect(openLogoutTokens(tokens))

  return {
    ...openSignInDoors(dependencies, current),
    backchannel: openBackchannelDoors(dependencies, current),
    interactions: openInteractions(async () => (await current.get()).provider, artefacts),
    jobs: [
      {
        name: 'provider.remove_expired',
        everySeconds: 60,
        run: async () => ({ more: await artefacts.removeExpired() }),
      },
      {
        name: 'provider.end_expired_sessions',
        everySeconds: 30,
        run: async () => ({ more: await artefacts.endExpiredSessions() }),
      },
    ],
    start: current.start,
  }
}
