import type { Factor, Proof } from '../../features/feature.ts'

export type LoginAcr = 'urn:latchkey:acr:single-factor' | 'urn:latchkey:acr:multi-factor'

export type Step =
  | { readonly step: 'prove'; readonly factors: readonly string[] }
  | {
      readonly step: 'done'
      readonly userId: string
      readonly amr: readonly string[]
      readonly acr: LoginAcr
      readonly at: Date
    }

/** What the sign-in at hand demands. */
export interface Policy {
  /** How many different factors must be proven. */
  readonly factors: 1 | 2
}

/**
 * The only place that decides what comes next in a sign-in: from the proofs that the server holds and the policy, never
 * from what a form says. Proofs of different people prove nothing together.
 */
export function nextStep(proofs: readonly Proof[], policy: Policy, available: readonly Factor[]): Step {
  const [first] = proofs
  if (first === undefined) return { step: 'prove', factors: offered(available, 'first') }
  const same = proofs.filter(({ userId }) => userId === first.userId)
  const proven = new Set(same.map(({ factor }) => factor))
  if (proven.size < policy.factors) {
    return { step: 'prove', factors: offered(available, 'second').filter((name) => !proven.has(name)) }
  }
  const amr = [...new Set(same.flatMap((proof) => proof.amr))]
  const at = new Date(Math.max(...same.map((proof) => proof.at.getTime())))
  const several = proven.size > 1
  return {
    step: 'done',
    userId: first.userId,
    // RFC 8176 §2: `mfa` where several factors were used, beside the methods themselves.
    amr: several ? [...amr, 'mfa'] : amr,
    acr: several ? 'urn:latchkey:acr:multi-factor' : 'urn:latchkey:acr:single-factor',
    at,
  }
}

const offered = (factors: readonly Factor[], place: 'first' | 'second'): readonly string[] =>
  factors.filter(({ offers }) => offers === place || offers === 'either').map(({ name }) => name)
