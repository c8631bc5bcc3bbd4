import type { Middleware } from 'koa'
import type { AdapterDependencies } from './artefacts/adapter.ts'
import type { Verifier } from './assertions/verify.ts'
import type { AuthorizationType, Ports, ProviderDependencies } from './ports.ts'

export interface InstanceInputs extends ProviderDependencies {
  /** One for every instance, as it keeps the keys of issuers. */
  readonly verifier: Verifier
  readonly middleware: readonly Middleware[]
}

type KeyMaterial = Awaited<ReturnType<Ports['keys']['snapshot']>>

export interface OptionInputs extends ProviderDependencies {
  readonly adapter: AdapterDependencies
  readonly keyMaterial: KeyMaterial
  /** The registered types of authorization details (RFC 9396). */
  readonly authorizationTypes: readonly AuthorizationType[]
}
