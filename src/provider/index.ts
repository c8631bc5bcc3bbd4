/**
 * Owns the protocol: oidc-provider, its options, its storage, and the doors through which pages finish what it started.
 * Does not own who people are, which clients exist or what pages look like; those come in through `ports.ts`.
 */
import './known-warning.ts'
import type { Job } from '../features/feature.ts'
import { type Layers, type Listener, openCurrentInstance } from './current-instance.ts'
import { type Interactions, openInteractions } from './interactions.ts'
import type { ProviderDependencies } from './ports.ts'
import { openSignInDoors, type SignInDoors } from './sign-in-doors.ts'

export { type Artefacts, openArtefacts } from './artefacts.ts'
export type { Acr } from './assurance.ts'
export type { FinishedLogin, Interactions, PendingInteraction, Trail } from './interactions.ts'
export type {
  LogoutPage,
  Ports,
  ProviderEvents,
  ProviderFailure,
  ProviderPages,
  RememberedConsent,
} from './ports.ts'
export type { SessionEnded } from './revocation.ts'
export type { KnownAccess, KnownSession } from './session-directory.ts'
export type { SignedIn, SignInRequest } from './sign-in-doors.ts'

export interface ProviderHandle extends SignInDoors {
  readonly interactions: Interactions
  readonly jobs: readonly Job[]
  /** Starts it with the host's layers in front of the library; the returned listener serves HTTP. */
  start(layers: Layers): Promise<Listener>
}

export function openProvider(dependencies: ProviderDependencies): ProviderHandle {
  const { artefacts } = dependencies
  const current = openCurrentInstance(dependencies)

  return {
    ...openSignInDoors(dependencies, current),
    interactions: openInteractions(async () => (await current.get()).provider, artefacts),
    jobs: [
      {
        name: 'provider.remove_expired',
        everySeconds: 60,
        run: async () => ({ more: await artefacts.removeExpired() }),
      },
    ],
    start: current.start,
  }
}
