import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Attempt, Factor } from '../feature.ts'
import type { Admission, Throttle } from '../throttle/index.ts'
import type { User, Users } from '../users/index.ts'
import { busyCode, type Hashing } from './hashing.ts'
import { invalidCredentials, malformedInput } from './passwords.ts'
import { isPossible } from './policy.ts'
import type { PasswordStore } from './store.ts'

export interface FactorDependencies {
  readonly store: PasswordStore
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly throttle: Throttle
  readonly hashing: Hashing
  readonly attempts: Pick<Attempts, 'epochOf'>
}

const inputSchema = z.strictObject({
  /** Left out where the person is known already and only confirms it. */
  identifier: z.string().max(320).optional(),
  password: z.string().refine(isPossible),
})

/** A password to check, and whose it would have to be. */
interface Claim {
  /** Under which attempts are counted, known or not. */
  readonly account: string
  readonly user: User | undefined
  readonly password: string
}

export function passwordFactor(dependencies: FactorDependencies): Factor {
  const { store, clock, throttle, attempts } = dependencies
  const matches = matching(dependencies)
  const record = recording(dependencies.audit)

  return {
    name: 'password',
    offers: 'first',
    order: 10,
    enrolled: async (userId) => (await store.findHash(userId)) !== undefined,
    first: async () => ({ template: 'passwords/first', model: { reset: '/reset-password' } }),
    show: async () => ({ template: 'passwords/show', model: { reset: '/reset-password' } }),

    async finish(attempt, input) {
      const claim = await claimOf(dependencies.users, attempt, input)
      const { account, user } = claim
      const { device, request } = attempt
      const admission = await throttle.admit({ account, userId: user?.id, device, address: request.address })
      const epoch = await attempts.epochOf(user?.id ?? '')
      const matched = await matches(claim).catch((error) => neverVerified(error, admission))
      if (!matched || user === undefined) {
        await record('failure', attempt, user?.id)
        throw invalidCredentials()
      }
      await admission.succeeded(user.id)
      await record('success', attempt, user.id)
      return { factor: 'password', userId: user.id, amr: ['pwd'], at: clock.now(), epoch }
    },
  }
}

/** Who it is comes from the attempt where that knows; what was typed may then only agree. */
async function claimOf(users: Users, attempt: Attempt, input: unknown): Promise<Claim> {
  const parsed = inputSchema.safeParse(input)
  if (!parsed.success) throw malformedInput(parsed.error)
  const { identifier, password } = parsed.data
  const typed = identifier === undefined ? undefined : await users.findByIdentifier(identifier)
  if (attempt.userId !== undefined) {
    const known = await users.find(attempt.userId)
    const agrees = identifier === undefined || typed?.id === known?.id
    return { account: `user ${attempt.userId}`, user: agrees ? known : undefined, password }
  }
  if (identifier === undefined) throw malformedInput(parsed.error)
  return { account: users.canonicalIdentifier(identifier), user: typed, password }
}

/**
 * Every claim costs one look at the table and one hash, whoever it is about. Whether the user is
 * active is asked afterwards, together with whether the password is still his: both may have changed meanwhile.
 */
const matching = ({ store, hashing }: FactorDependencies) => {
  /** The hash under which the password is stored now; `undefined` where another password has taken its place. */
  async function renewed(userId: string, stored: string, password: string): Promise<string | undefined> {
    if (!hashing.isOutdated(stored) || !hashing.hasRoom()) return stored
    const hash = await hashing.hash(password)
    if (await store.replaceHash(userId, stored, hash)) return hash
    // Another sign-in hashed it anew, or it was changed: what is stored decides.
    const other = await store.findHash(userId)
    return (await hashing.verify(password, other)) ? other : undefined
  }

  return async ({ user, password }: Claim): Promise<boolean> => {
    const stored = await store.findHash(user?.id ?? '')
    const matches = await hashing.verify(password, stored)
    if (!matches || user === undefined || stored === undefined) return false
    const current = await renewed(user.id, stored, password)
    // Asked last: while a password is hashed it may be changed, and the user disabled.
    return current !== undefined && (await store.isCurrent(user.id, current))
  }
}

/** A password that found no room to be checked is no failed attempt. */
export async function neverVerified(error: unknown, admission: Admission): Promise<never> {
  if (error instanceof AppError && error.code === busyCode) await admission.withdraw()
  throw error
}

/** What was typed as identifier is not recorded where it leads to nobody: it may have been the password. */
const recording =
  (audit: Audit) =>
  (
    outcome: 'success' | 'failure',
    { request, clientId }: Attempt,
    userId: UserId | undefined,
  ): Promise<void> => {
    const action = outcome === 'success' ? 'passwords.proved' : 'passwords.refused'
    return audit.record({ action, outcome, userId, clientId, request })
  }
