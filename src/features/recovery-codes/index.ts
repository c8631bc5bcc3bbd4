/**
 * Owns recovery codes: how they are made, shown once, printed, each accepted once; the factor `recovery-code`.
 * Does not own the other ways to sign in that they stand in for, what is remembered until they are saved (`attempts`), nor
 * who is told and signed out after a change (`notices`).
 */
import type { Clock } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts, Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Factor, Feature, Interlude, Panel } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { recoveryCodeCommands } from './commands.ts'
import { recoveryCodeEnrolment } from './enrolment.ts'
import { recoveryCodeFactor } from './factor.ts'
import { recoveryCodeInterlude } from './interlude.ts'
import { makingPath, recoveryCodePanel } from './panel.ts'
import { openRecoveryCodeStore } from './store.ts'

export { recoveryCodesDefinition } from './commands.ts'

export interface RecoveryCodeDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly throttle: Throttle
  readonly attempts: Pick<Attempts, 'epochOf'>
  readonly challenges: Challenges
  readonly notices: Notices
  /** How long after proving who he is a person may change how he signs in. */
  readonly freshSeconds: number
}

export interface RecoveryCodesFeature extends Feature {
  readonly factor: Factor
  readonly interlude: Interlude
  readonly panels: readonly Panel[]
  /** Where somebody goes on his account's pages who has added a way to sign in; `undefined` where he has codes. */
  leadOn(userId: UserId): Promise<string | undefined>
}

export function openRecoveryCodes(dependencies: RecoveryCodeDependencies): RecoveryCodesFeature {
  const { storage } = dependencies
  const store = openRecoveryCodeStore(storage)
  const shared = { ...dependencies, store, transaction: storage.transaction }
  const enrolment = recoveryCodeEnrolment(shared)
  return {
    name: 'recovery-codes',
    factor: recoveryCodeFactor(shared, enrolment),
    interlude: recoveryCodeInterlude(shared, enrolment),
    panels: [recoveryCodePanel(store, enrolment)],
    commands: recoveryCodeCommands(shared),
    leadOn: async (userId) => ((await store.count(userId)).left === 0 ? makingPath : undefined),
    export: (userId) => store.uses(userId),
  }
}
