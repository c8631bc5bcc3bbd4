import type { Context } from 'koa'
import type { Attempt, Factor, Proof, ProvenAttempt } from '../../features/feature.ts'
import { hashSecret, type UserId } from '../../kernel/ids.ts'
import type { PendingInteraction } from '../../provider/index.ts'
import { factsOf, localeOf } from '../page.ts'
import type { PagePorts, Person } from '../ports.ts'
import {
  type FactorState,
  isProvenAnew,
  nextStep,
  type Situation,
  type Step,
  sessionFactor,
} from './next-step.ts'

/** A sign-in as a request finds it. */
export interface Current {
  readonly interaction: PendingInteraction
  /** As somebody else than the person of the session. */
  readonly other: boolean
  /** The identifier in the browser's device cookie. */
  readonly device: string | undefined
}

/** What a sign-in stands at: all of it from the server. */
export interface Standing {
  readonly attempt: Attempt
  /** The same where somebody has proven something. */
  readonly proven?: ProvenAttempt
  readonly step: Step
  /** Why so much is asked, for the audit. */
  readonly because: readonly string[]
  /** The marks that the attempt carries. */
  readonly passed: readonly string[]
}

/** What the person has decided about the sign-in at hand; kept with the attempt. */
export const marks = {
  /** The session is not to outlive the browser. */
  brief: 'brief',
  /** Something was enrolled in this attempt. */
  enrolled: 'enrolled',
  /** That it ended well stands in the audit; it may be led back into the protocol again, by a reload or a second press. */
  told: 'told',
  laterEnrolment: 'later.enrolment',
  laterBackup: 'later.backup',
  /** Begins what the browser is able to do. */
  able: 'able.',
} as const

export const attemptIdOf = ({ uid }: Pick<PendingInteraction, 'uid'>): string => hashSecret(uid)

/** Whom the sign-in is to confirm; `undefined` where anybody may sign in. */
const confirms = (interaction: PendingInteraction, other: boolean): UserId | undefined =>
  !other && interaction.prompt === 'login' ? (interaction.userId as UserId | undefined) : undefined

/** Reads where a sign-in stands, and asks the one function that decides what comes next. */
export async function standingOf(ports: PagePorts, ctx: Context, current: Current): Promise<Standing> {
  const { interaction } = current
  const stored = await ports.attempts.find(attemptIdOf(interaction))
  const confirmed = confirms(interaction, current.other)
  // Who began as somebody else is not whom the session knows; his proofs decide from then on.
  const userId = stored.userId ?? confirmed
  const person = userId === undefined ? undefined : await ports.people.view(userId)
  if (person?.locale !== undefined) ctx.state.userLocale = person.locale
  const proofs = [...heldProof(interaction, userId), ...stored.proofs]
  const attempt = attemptOf(ctx, current, { userId, proofs })
  const demands = await ports.policy.demands(userId, clientIdOf(interaction), interaction.requestedLevels)
  const situation: Situation = {
    proofs,
    ...(userId && { confirms: userId }),
    demand: demands,
    factors: await Promise.all(ports.factors.map((factor) => stateOf(factor, userId))),
    trusted: await isTrusted(ports, attempt, interaction),
    enrolledNow: stored.passed.includes(marks.enrolled),
    later: laterOf(stored.passed),
    interludes: [],
  }
  const proven =
    userId && proofs.length > 0
      ? provenOf(interaction, person, {
          ...attempt,
          userId,
          able: ableOf(stored.passed),
          provenAnew: isProvenAnew(situation),
        })
      : undefined
  return {
    attempt,
    step: await stepOf(ports, situation, { proven, passed: stored.passed }),
    because: ports.policy.describe(demands),
    passed: stored.passed,
    ...(proven && { proven }),
  }
}

/** The decision, with what it takes time to find out where it depends on that. */
async function stepOf(
  ports: PagePorts,
  situation: Situation,
  { proven, passed }: { readonly proven: ProvenAttempt | undefined; readonly passed: readonly string[] },
): Promise<Step> {
  const decided = nextStep(situation)
  if (proven === undefined || (decided.step !== 'enrol' && decided.step !== 'done')) return decided
  // The time to get ready begins when somebody is first asked to.
  const graceUntil = decided.step === 'enrol' ? await ports.policy.graceUntil(proven.userId) : undefined
  const relaxed =
    graceUntil === undefined ? situation : { ...situation, demand: { ...situation.demand, graceUntil } }
  const step = nextStep(relaxed)
  if (step.step !== 'done') return step
  return nextStep({ ...relaxed, interludes: await dueInterludes(ports, proven, passed) })
}

const ableOf = (passed: readonly string[]): readonly string[] =>
  passed.flatMap((mark) => (mark.startsWith(marks.able) ? mark.slice(marks.able.length) : []))

const laterOf = (passed: readonly string[]): Situation['later'] => [
  ...(passed.includes(marks.laterEnrolment) ? (['enrolment'] as const) : []),
  ...(passed.includes(marks.laterBackup) ? (['backup'] as const) : []),
]

/** The client, as the policy knows it: our own pages are none. */
const clientIdOf = ({ clientId, direct }: PendingInteraction): string | undefined =>
  direct ? undefined : clientId

/** A session that began with a password needs only more; any other kind could not be told apart from what is added. */
function heldProof({ held, userId }: PendingInteraction, of: UserId | undefined): readonly Proof[] {
  if (held === undefined || of === undefined || userId !== of || !held.amr.includes('pwd')) return []
  return [{ factor: sessionFactor, userId: of, amr: held.amr, at: held.at, level: held.level }]
}

export async function stateOf(factor: Factor, userId: UserId | undefined): Promise<FactorState> {
  const { name, offers, order, backup = false, reaches = 'multi-factor', enrolment } = factor
  return {
    name,
    offers,
    order,
    backup,
    reaches,
    enrolled: userId !== undefined && (await factor.enrolled(userId)),
    enrollable: enrolment !== undefined,
  }
}

/** Nobody is trusted where the request wants to see him prove it anew, such as before a change of his credentials. */
async function isTrusted(
  { trustedDevices }: PagePorts,
  { userId, device }: Attempt,
  { provesAnew }: PendingInteraction,
): Promise<boolean> {
  if (userId === undefined || device === undefined || provesAnew) return false
  return await trustedDevices.isTrusted(userId, device)
}

async function dueInterludes(
  { interludes }: PagePorts,
  proven: ProvenAttempt,
  passed: readonly string[],
): Promise<readonly string[]> {
  for (const interlude of interludes.toSorted((a, b) => a.order - b.order)) {
    const isAble = interlude.capability === undefined || proven.able.includes(interlude.capability)
    if (isAble && !passed.includes(interlude.name) && (await interlude.due(proven))) return [interlude.name]
  }
  return []
}

function attemptOf(
  ctx: Context,
  { interaction, other, device }: Current,
  { userId, proofs }: { readonly userId: UserId | undefined; readonly proofs: readonly Proof[] },
): Attempt {
  const path = `/interaction/${interaction.uid}`
  return {
    id: attemptIdOf(interaction),
    path: other && userId === undefined ? `${path}/other` : path,
    clientId: interaction.clientId,
    proofs,
    request: factsOf(ctx),
    locale: localeOf(ctx),
    ...(userId && { userId }),
    ...(device && { device }),
  }
}

/** Who may add a way to sign in in the middle of one. */
function provenOf(
  { uid, sessionUid }: PendingInteraction,
  person: Person | undefined,
  attempt: Omit<ProvenAttempt, 'holder'>,
): ProvenAttempt {
  const { id, userId, request, locale } = attempt
  const name = person?.email ?? person?.username ?? person?.name ?? userId
  const keep = { interactionUid: uid, ...(sessionUid && { sessionUid }) }
  return { ...attempt, holder: { id, user: { id: userId, name }, request, locale, keep } }
}
