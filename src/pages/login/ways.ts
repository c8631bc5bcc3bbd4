import type { Factor, Proof } from '../../features/feature.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Level } from '../../kernel/levels.ts'
import { stateOf } from './attempt.ts'
import { type Demand, type FactorState, nextStep, type Situation, type Step } from './next-step.ts'

/** One way through a sign-in: what is proven at each step, and what comes at its end. */
export interface Way {
  readonly steps: readonly string[]
  readonly end: { readonly reaches: Level } | { readonly mustAdd: readonly string[]; readonly until?: Date }
}

/** Every way in which a person can sign in, walked with the function that decides real sign-ins. */
export async function waysOf(
  factors: readonly Factor[],
  userId: UserId,
  demand: Demand,
): Promise<readonly Way[]> {
  const states = await Promise.all(factors.map((factor) => stateOf(factor, userId)))
  const begins = states.filter(({ enrolled, offers }) => enrolled && offers !== 'second')
  return begins
    .toSorted((a, b) => a.order - b.order)
    .map(({ name }) => wayFrom({ states, userId, demand }, [name]))
}

interface Walk {
  readonly states: readonly FactorState[]
  readonly userId: UserId
  readonly demand: Demand
}

function wayFrom(walk: Walk, steps: readonly string[]): Way {
  const step: Step = nextStep(situationAfter(walk, steps))
  if (step.step === 'done') return { steps, end: { reaches: step.level } }
  if (step.step === 'enrol')
    return {
      steps,
      end: { mustAdd: step.factors, ...(step.later?.until && { until: step.later.until }) },
    }
  // Any of those that are asked for leads on alike; the first stands for them.
  return step.step === 'prove'
    ? wayFrom(walk, [...steps, step.factors.join(' or ')])
    : { steps, end: { reaches: 'single-factor' } }
}

function situationAfter({ states, userId, demand }: Walk, steps: readonly string[]): Situation {
  const proofs = steps.map((names): Proof => {
    const name = names.split(' or ')[0] ?? ''
    const state = states.find((each) => each.name === name)
    // What reaches the highest level as a second proof reaches it alone, too: it is the person's device that vouches.
    const alone = state?.reaches === 'phishing-resistant' ? { level: state.reaches } : {}
    return { factor: name, userId, amr: [], at: new Date(0), ...alone }
  })
  return {
    proofs,
    confirms: userId,
    demand,
    factors: states,
    trusted: false,
    enrolledNow: false,
    later: [],
    interludes: [],
  }
}
