/**
 * Owns what must be proven to sign in: the rules of the server, of clients and of requests, and the time to get ready.
 * Does not own how something is proven (factors) nor which step comes next (`pages/login/next-step.ts`).
 */
import { after, type Clock } from '../../kernel/clock.ts'
import type { Level } from '../../kernel/levels.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Feature } from '../feature.ts'
import { type Demands, demandsOf, reasonText } from './policy.ts'
import type { settings } from './settings.ts'
import { openPolicyStore } from './store.ts'
import { commandWhy, type WhyDependencies } from './why.ts'

export { policyDefinition } from './definition.ts'
export type { Demands, Reason } from './policy.ts'
export type { Way } from './why.ts'

export interface PolicyDependencies extends Pick<WhyDependencies, 'findUser' | 'findClient' | 'ways'> {
  readonly storage: Storage
  readonly clock: Clock
  readonly settings: SettingValues<typeof settings>
  isAdministrator(userId: string): Promise<boolean>
  /** What a client requires of its own. */
  requiredBy(clientId: string): Promise<Level | undefined>
}

export interface Policy {
  /** For a person who is not known yet, the rules for everyone. */
  demands(
    userId: string | undefined,
    clientId: string | undefined,
    requested: readonly Level[],
  ): Promise<Demands>
  /** Until when a person may put off what the server demands; begins the time where it has not begun. */
  graceUntil(userId: string): Promise<Date | undefined>
  /** The rules in words. */
  describe(demands: Demands): readonly string[]
}

export function openPolicy(dependencies: PolicyDependencies): Feature & { readonly policy: Policy } {
  const { storage, clock, settings } = dependencies
  const store = openPolicyStore(storage)
  const policy: Policy = {
    async demands(userId, clientId, requested) {
      const [administrator, client] = await Promise.all([
        userId === undefined ? false : dependencies.isAdministrator(userId),
        clientId === undefined ? undefined : dependencies.requiredBy(clientId),
      ])
      return demandsOf(settings, { administrator, client, requested })
    },

    async graceUntil(userId) {
      if (settings.graceSeconds === 0) return undefined
      const until = after(await store.startGrace(userId, clock.now()), settings.graceSeconds)
      return until > clock.now() ? until : undefined
    },

    describe: ({ reasons }) => reasons.map(reasonText),
  }

  return {
    name: 'policy',
    policy,
    commands: [commandWhy({ ...dependencies, demands: policy.demands })],
    export: async (userId) => ({ enrolmentAskedSince: (await store.findGrace(userId)) ?? null }),
  }
}
