import type { Clock } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts, Challenge, Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Attempt, Enrolment, Factor, Proof } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { Throttle } from '../throttle/index.ts'
import { type VerifiedAssertion, verifyAssertion } from './ceremony.ts'
import { type Assertion, assertionIn } from './input.ts'
import { amrOf, type OwnedPasskey, pageTooOld, passkeyFactor, refused } from './passkeys.ts'
import { newChallenge, type RelyingParty, requestOptions } from './relying-party.ts'
import type { PasskeyStore } from './store.ts'

export interface FactorDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly store: PasskeyStore
  readonly clock: Clock
  readonly audit: Audit
  readonly throttle: Throttle
  readonly notices: Pick<Notices, 'tell'>
  readonly attempts: Pick<Attempts, 'epochOf'>
  readonly challenges: Challenges
  readonly challengeTtlSeconds: number
  readonly relyingParty: RelyingParty
}

const purpose = 'passkeys.assertion'

export function passkeyOfferedAsFactor(dependencies: FactorDependencies, enrolment: Enrolment): Factor {
  const { store, relyingParty, challenges, throttle } = dependencies
  const options = asking(dependencies)
  const prove = proving(dependencies)

  return {
    name: passkeyFactor,
    offers: 'either',
    order: 20,
    reaches: 'phishing-resistant',
    enrolment,
    enrolled: (userId) => store.has(userId, relyingParty.id),

    first: async (attempt) => ({
      template: 'passkeys/sign-in',
      ownForm: true,
      model: { action: `${attempt.path}/${passkeyFactor}`, options: await options(attempt) },
    }),

    show: async (attempt) => ({ template: 'passkeys/answer', model: { options: await options(attempt) } }),

    async finish(attempt, input) {
      const assertion = assertionIn(input)
      const challenge = await challenges.take(attempt.id, purpose)
      if (challenge === undefined) throw pageTooOld()
      // Nobody guesses a signature. What counts is who has many wrong ones checked, so it counts for nobody's account.
      const { device, request } = attempt
      const account = `${passkeyFactor} ${attempt.id}`
      const admission = await throttle.admit({ account, device, address: request.address })
      const proof = await prove({ attempt, challenge, assertion })
      await admission.succeeded(proof.userId)
      return proof
    },
  }
}

/** The options for one page, whose challenge takes the place of the one before. */
const asking =
  ({ store, relyingParty, challenges, challengeTtlSeconds }: FactorDependencies) =>
  async ({ id, userId }: Attempt): Promise<string> => {
    const challenge = newChallenge()
    const known = userId === undefined ? [] : await store.list(userId)
    await challenges.put(id, purpose, {
      state: challenge,
      ttlSeconds: challengeTtlSeconds,
      ...(userId && { userId }),
    })
    return requestOptions(
      relyingParty,
      challenge,
      known.filter(({ rpId }) => rpId === relyingParty.id),
    )
  }

interface Answer {
  readonly attempt: Attempt
  readonly challenge: Challenge
  readonly assertion: Assertion
}

const proving = (dependencies: FactorDependencies) => {
  const { store, clock, audit, relyingParty, attempts } = dependencies
  const noteRegression = notingRegression(dependencies)

  const refuse = async (
    { request, clientId }: Attempt,
    reason: string,
    userId: UserId | undefined,
  ): Promise<never> => {
    const event = { userId, clientId, request, detail: { reason } }
    await audit.record({ action: 'passkeys.refused', outcome: 'failure', ...event })
    throw refused()
  }

  return async ({ attempt, challenge, assertion }: Answer): Promise<Proof> => {
    const { clientId, request } = attempt
    const passkey = await store.find(assertion.id)
    if (passkey === undefined) return await refuse(attempt, 'unknown', attempt.userId)
    const { userId } = passkey
    const epoch = await attempts.epochOf(userId)
    const fault = faultOf({ attempt, challenge, assertion }, passkey, relyingParty)
    if (fault !== undefined) return await refuse(attempt, fault, userId)
    const verified = await verify(relyingParty, { assertion, challenge, passkey })
    if (verified === undefined) return await refuse(attempt, 'not_verified', userId)
    if (verified.multiDevice !== passkey.multiDevice) return await refuse(attempt, 'changed_kind', userId)
    const at = clock.now()
    if (!(await store.recordUse(passkey.id, { ...verified, at }))) {
      return await refuse(attempt, await noteRegression(passkey.id, verified, attempt), userId)
    }
    await audit.record({ action: 'passkeys.proved', outcome: 'success', userId, clientId, request })
    return { factor: passkeyFactor, userId, amr: amrOf(passkey), level: 'phishing-resistant', at, epoch }
  }
}

/**
 * What is wrong before any signature is looked at. The person of a passkey is its owner; the user handle, and whoever the
 * page was made for or the sign-in is about, can only agree (WebAuthn Level 3 §7.2, steps 5 and 6).
 */
function faultOf(
  { attempt, challenge, assertion }: Answer,
  passkey: OwnedPasskey,
  { id }: RelyingParty,
): string | undefined {
  const { userHandle } = assertion.response
  const wanted = [attempt.userId, challenge.userId].filter((userId) => userId !== undefined)
  if (passkey.rpId !== id) return 'other_relying_party'
  if (wanted.some((userId) => userId !== passkey.userId)) return 'other_user'
  if (userHandle === undefined ? wanted.length === 0 : userHandle !== passkey.handle) return 'user_handle'
  return passkey.ownerActive ? undefined : 'disabled'
}

async function verify(
  relyingParty: RelyingParty,
  { assertion, challenge, passkey }: Omit<Answer, 'attempt'> & { readonly passkey: OwnedPasskey },
): Promise<VerifiedAssertion | undefined> {
  try {
    return await verifyAssertion(relyingParty, assertion, { challenge: String(challenge.state), passkey })
  } catch {
    return undefined
  }
}

/** A counter that does not grow may come from a copy of the key (WebAuthn Level 3 §6.1.1), which its owner should know. */
const notingRegression =
  ({ storage, store, audit, notices }: FactorDependencies) =>
  async (
    id: string,
    { counter }: VerifiedAssertion,
    { request, clientId }: Attempt,
  ): Promise<'counter' | 'gone'> => {
    const passkey = await store.find(id)
    if (passkey === undefined || !passkey.ownerActive || counter > passkey.counter) return 'gone'
    const { userId, name } = passkey
    await storage.transaction(async (db) => {
      const detail = { counter, known: passkey.counter }
      const event = { userId, clientId, request, detail }
      await audit.recordIn(db, { action: 'passkeys.counter_regressed', outcome: 'failure', ...event })
      await notices.tell(db, { userId, what: 'passkey-copied', params: { name }, request })
    })
    return 'counter'
  }
