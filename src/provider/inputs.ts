import type { Middleware } from 'koa'
import type { AdapterDependencies } from './adapter.ts'
import type { OutboundFetch } from './outbound.ts'
import type { Ports, ProviderDependencies } from './ports.ts'

export interface InstanceInputs extends ProviderDependencies {
  readonly outbound: OutboundFetch
  readonly middleware: readonly Middleware[]
}

type KeyMaterial = Awaited<ReturnType<Ports['keys']['snapshot']>>

export interface OptionInputs extends ProviderDependencies {
  readonly adapter: AdapterDependencies
  readonly keyMaterial: KeyMaterial
  readonly outbound: OutboundFetch
}
