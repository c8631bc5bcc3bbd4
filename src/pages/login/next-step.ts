import type { Proof } from '../../features/feature.ts'
import type { UserId } from '../../kernel/ids.ts'
import { highest, isAtLeast, type Level } from '../../kernel/levels.ts'

export type LoginAcr = `urn:latchkey:acr:${Level}`

/** A way to sign in, as far as the decision needs it, and whether the person of the attempt has it. */
export interface FactorState {
  readonly name: string
  readonly offers: 'first' | 'second' | 'either'
  readonly order: number
  /** Offered beside others, and never the reason to ask. */
  readonly backup: boolean
  /** The level it brings a sign-in to as its second proof. */
  readonly reaches: Level
  readonly enrolled: boolean
  /** Can be added in the middle of a sign-in. */
  readonly enrollable: boolean
}

/** What the sign-in at hand demands. */
export interface Demand {
  /** Of the client and of the request: nothing stands in for it. */
  readonly strict: Level
  /** Of the server: a trusted device stands for it, and who cannot reach it yet may have time. */
  readonly standing: Level
  /** Until when `standing` may be put off; absent where it may not, or no longer. */
  readonly graceUntil?: Date
}

export interface Situation {
  readonly proofs: readonly Proof[]
  /** Whom the sign-in is to confirm; anybody where absent. */
  readonly confirms?: UserId
  readonly demand: Demand
  readonly factors: readonly FactorState[]
  /** This browser needs no second factor for this person. */
  readonly trusted: boolean
  /** A way to sign in was added in this very attempt. */
  readonly enrolledNow: boolean
  /** The person puts off what may be put off: a stronger way to sign in, or a way out beside it. */
  readonly later: readonly ('enrolment' | 'backup')[]
  /** Pages that are due before the end, in their order. */
  readonly interludes: readonly string[]
}

export type Step =
  | { readonly step: 'prove'; readonly place: 'first' | 'second'; readonly factors: readonly string[] }
  | {
      readonly step: 'enrol'
      readonly factors: readonly string[]
      /** It may be put off: for good, or until then. */
      readonly later?: { readonly what: 'enrolment' | 'backup'; readonly until?: Date }
    }
  | { readonly step: 'interlude'; readonly name: string }
  | Done

export interface Done {
  readonly step: 'done'
  readonly userId: UserId
  readonly amr: readonly string[]
  readonly level: Level
  readonly acr: LoginAcr
  readonly at: Date
}

/**
 * The only place that decides what comes next in a sign-in: from the proofs that the server holds, what the person has and
 * what is demanded, never from what a form says. Proofs of different people prove nothing together.
 */
export function nextStep(situation: Situation): Step {
  const { proofs, confirms, demand, factors, later } = situation
  const userId = confirms ?? proofs[0]?.userId
  const own = withoutOutdated(
    proofs.filter((proof) => proof.userId === userId),
    factors,
  )
  if (userId === undefined || own.length === 0) {
    return { step: 'prove', place: 'first', factors: firstFactors(situation) }
  }
  const level = reached(own, factors)
  const more = demandsMore(situation, level)
  const seconds = secondFactors(situation, own)
  const wanted = highest([demand.strict, demand.standing])
  if (more && seconds.length > 0) {
    const prove: Prove = { step: 'prove', place: 'second', factors: seconds }
    // Where none of them is enough something will be added, which asks for the first proof anew, and first of all.
    const isEnough = factors.some(({ name, reaches }) => seconds.includes(name) && isAtLeast(reaches, wanted))
    return isEnough ? prove : (guarding({ ...situation, confirms: userId }) ?? prove)
  }
  if (more) {
    const until = isAtLeast(level, demand.strict) ? demand.graceUntil : undefined
    if (until === undefined || !later.includes('enrolment')) {
      const enrolment: Step = {
        step: 'enrol',
        factors: enrollable(factors, own, wanted),
        ...(until && { later: { what: 'enrolment', until } }),
      }
      return guarding({ ...situation, confirms: userId }) ?? enrolment
    }
  }
  return afterProofs({ ...situation, confirms: userId }, { userId, level, proofs: own })
}

type Prove = Extract<Step, { step: 'prove' }>

/**
 * What is still to be proven before anything may be added to the account: all that guards it, and now. What the session has
 * proven long ago does not count, as somebody else may sit there by now; nor does a trusted device, which somebody may have
 * stolen with the password in it.
 */
function guarding(situation: Situation): Prove | undefined {
  const { proofs, confirms, factors } = situation
  const now = proofs.filter(({ userId, factor }) => userId === confirms && factor !== sessionFactor)
  const begun = now.some((proof) =>
    factors.some(({ name, offers }) => name === proof.factor && offers !== 'second'),
  )
  if (!begun) return { step: 'prove', place: 'first', factors: firstFactors(situation) }
  if (reached(now, factors) !== 'single-factor' || !hasSecondStep(factors)) return undefined
  const seconds = secondFactors({ ...situation, demand: nothing }, now)
  return seconds.length === 0 ? undefined : { step: 'prove', place: 'second', factors: seconds }
}

const nothing: Demand = { strict: 'single-factor', standing: 'single-factor' }

/** Whether the person of the sign-in has proven now, in this very attempt, all that guards his account. */
export const isProvenAnew = (situation: Situation): boolean => guarding(situation) === undefined

/** A session's proof is worth nothing beside a new one of the same kind. */
function withoutOutdated(own: readonly Proof[], factors: readonly FactorState[]): readonly Proof[] {
  const renewed = own.some((proof) =>
    factors.some(({ name, offers }) => name === proof.factor && offers === 'first'),
  )
  return renewed ? own.filter(({ factor }) => factor !== sessionFactor) : own
}

interface Proven {
  readonly userId: UserId
  readonly level: Level
  readonly proofs: readonly Proof[]
}

function afterProofs(situation: Situation, proven: Proven): Step {
  const { factors, enrolledNow, later, interludes } = situation
  const backups = factors.filter(({ backup }) => backup)
  if (enrolledNow && !later.includes('backup') && !backups.some(({ enrolled }) => enrolled)) {
    const offered = backups.filter((factor) => factor.enrollable).map(({ name }) => name)
    if (offered.length > 0 && guarding(situation) === undefined)
      return { step: 'enrol', factors: offered, later: { what: 'backup' } }
  }
  const [interlude] = interludes
  if (interlude !== undefined) return { step: 'interlude', name: interlude }
  return done(proven)
}

function done({ userId, level, proofs }: Proven): Done {
  const several = new Set(proofs.map(({ factor }) => factor)).size > 1
  const amr = new Set(proofs.flatMap((proof) => proof.amr))
  // RFC 8176 §2: `mfa` where several factors were used, beside the methods themselves.
  if (several) amr.add('mfa')
  // What a session had proven before keeps its time, so that nobody takes the sign-in for newer than its oldest part.
  const held = proofs.find(({ factor }) => factor === sessionFactor)
  const at = held?.at ?? new Date(Math.max(...proofs.map((proof) => proof.at.getTime())))
  return { step: 'done', userId, amr: [...amr], level, acr: `urn:latchkey:acr:${level}`, at }
}

/** The name under which what a session has proven before counts as a proof. */
export const sessionFactor = 'session'

/** What the proofs are worth together. */
function reached(own: readonly Proof[], factors: readonly FactorState[]): Level {
  const alone = own.map(({ level }) => level ?? 'single-factor')
  if (new Set(own.map(({ factor }) => factor)).size < 2) return highest(alone)
  const seconds = factors.filter(
    ({ name, offers }) => offers !== 'first' && own.some((proof) => proof.factor === name),
  )
  return highest([...alone, ...seconds.map(({ reaches }) => reaches)])
}

/**
 * Who has set up a second step is asked for it, whatever is demanded: otherwise it would protect nothing. What can come first
 * as well is another way in and no second step: whoever made one that lives in his laptop would be locked out of every other
 * device.
 */
function demandsMore({ demand, factors, trusted }: Situation, level: Level): boolean {
  if (!isAtLeast(level, demand.strict)) return true
  if (trusted) return false
  return !isAtLeast(level, demand.standing) || (level === 'single-factor' && hasSecondStep(factors))
}

const hasSecondStep = (factors: readonly FactorState[]): boolean =>
  factors.some(({ enrolled, backup, offers }) => enrolled && !backup && offers === 'second')

function firstFactors({ confirms, factors }: Situation): readonly string[] {
  const all = factors.filter(({ offers }) => offers !== 'second')
  const own = confirms === undefined ? all : all.filter(({ enrolled }) => enrolled)
  return sorted(own.length > 0 ? own : all)
}

/**
 * What the person has and has not proven yet. One that does not reach what is demanded is asked for too, where nothing but
 * the first factor was proven: whoever may add a way to sign in must have shown all that guards the account.
 */
function secondFactors({ factors, demand }: Situation, own: readonly Proof[]): readonly string[] {
  const proven = new Set(own.map(({ factor }) => factor))
  const left = factors.filter(
    ({ name, offers, enrolled }) => enrolled && offers !== 'first' && !proven.has(name),
  )
  const wanted = highest([demand.strict, demand.standing])
  const level = reached(own, factors)
  const useful = left.filter(({ reaches }) => isAtLeast(reaches, wanted))
  const guarding = level === 'single-factor' ? left : useful
  const chosen = useful.some(({ backup }) => !backup) ? useful : guarding
  return chosen.some(({ backup }) => !backup) ? sorted(chosen) : []
}

const enrollable = (
  factors: readonly FactorState[],
  own: readonly Proof[],
  wanted: Level,
): readonly string[] =>
  sorted(
    factors.filter(
      ({ name, backup, reaches, enrollable: can }) =>
        can && !backup && isAtLeast(reaches, wanted) && !own.some(({ factor }) => factor === name),
    ),
  )

const sorted = (factors: readonly FactorState[]): readonly string[] =>
  factors.toSorted((a, b) => a.order - b.order).map(({ name }) => name)
