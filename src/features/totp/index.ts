/**
 * Owns authenticator apps (TOTP, RFC 6238): their keys, the codes that are accepted and how often, the factor `totp`.
 * Does not own how often somebody may try (`throttle`), what is remembered while one is added (`attempts`), nor who is told
 * and signed out after a change (`notices`).
 */
import type { Clock } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts, Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Factor, Feature, Panel } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { totpChanges } from './changes.ts'
import { totpCommands } from './commands.ts'
import { totpEnrolment } from './enrolment.ts'
import { totpFactor } from './factor.ts'
import { totpPanel } from './panel.ts'
import { openTotpStore } from './store.ts'

export { totpDefinition } from './commands.ts'

export interface TotpDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
  readonly audit: Audit
  readonly users: Users
  readonly throttle: Throttle
  readonly attempts: Pick<Attempts, 'epochOf'>
  readonly challenges: Challenges
  readonly notices: Notices
  /** What authenticator apps show beside the codes. */
  readonly serviceName: string
  /** Where a person goes on his account's pages who has added an app; `undefined` where he has all that he needs. */
  readonly leadOn: (userId: UserId) => Promise<string | undefined>
}

export interface TotpFeature extends Feature {
  readonly factor: Factor
  readonly panels: readonly Panel[]
}

export function openTotp(dependencies: TotpDependencies): TotpFeature {
  const { storage, users, leadOn } = dependencies
  const store = openTotpStore(storage)
  const shared = { ...dependencies, store, transaction: storage.transaction }
  const enrolment = totpEnrolment(shared)
  const changes = totpChanges(shared)
  return {
    name: 'totp',
    factor: totpFactor(shared, enrolment),
    panels: [totpPanel({ store, changes, enrolment, leadOn })],
    commands: totpCommands({ store, changes, users }),
    export: async (userId) =>
      (await store.list(userId)).map(({ name, createdAt, lastUsedAt }) => ({ name, createdAt, lastUsedAt })),
  }
}
