/** What a feature plugs into a sign-in: ways to prove who one is, and pages before its end. */
import type { RequestFacts } from '../kernel/http.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Level } from '../kernel/levels.ts'
import type { View } from '../kernel/text.ts'

/** A fact established about the person of an attempt. `amr` are values of RFC 8176. */
export interface Proof {
  readonly factor: string
  readonly userId: UserId
  readonly amr: readonly string[]
  readonly at: Date
  /** What it is worth alone; `single-factor` where absent. */
  readonly level?: Level
  /**
   * `Attempts.epochOf` the person, as it was before anything was checked: where his sign-ins were ended since, the proof is
   * worth nothing. Absent where making a way to sign in was the proof, as that itself has ended all but this sign-in.
   */
  readonly epoch?: string
}

/** One sign-in under way. It lives on the server; forms carry nothing of it. */
export interface Attempt {
  /** The owner of what is remembered for it. Not the interaction's identifier, which is worth something. */
  readonly id: string
  /** `/interaction/<uid>`: where its pages are. */
  readonly path: string
  readonly clientId: string
  /** Established by the first proof, or by the session that is to be confirmed; never by a form. */
  readonly userId?: UserId
  readonly proofs: readonly Proof[]
  readonly request: RequestFacts
  /** The identifier in the browser's device cookie: random, and worth only what was remembered under it. */
  readonly device?: string
  /** The language of its pages, for what is mailed. */
  readonly locale: string
}

/** A way of proving who one is. It never redirects and never decides what comes next. */
export interface Factor {
  /** Its segment in the addresses of a sign-in. */
  readonly name: string
  readonly offers: 'first' | 'second' | 'either'
  /** The lower, the sooner it is offered. */
  readonly order: number
  /** A way out for whoever lacks the others: it is offered beside them, and having it alone asks for nothing. */
  readonly backup?: boolean
  /** The level that a proof by it reaches together with a first one. `multi-factor` where absent. */
  readonly reaches?: Level
  /** Whether the person has it; with an instant, whether he had it already then. */
  enrolled(userId: UserId, then?: Date): Promise<boolean>
  /**
   * Its part of the page on which a sign-in begins. Without it the factor is not offered there; `undefined` where it
   * cannot serve at the moment.
   */
  first?(attempt: Attempt): Promise<FirstView | undefined>
  /** Makes ready what the person answers, such as sending a code. Throws an `AppError` that is shown. */
  start?(attempt: Attempt, input: unknown): Promise<void>
  /**
   * Its own page of a sign-in: a partial template inside the form that posts to the factor; `undefined` where it has to be
   * started first.
   */
  show?(attempt: Attempt): Promise<View | undefined>
  /** Checks what the person gave. Throws an `AppError` when it proves nothing. */
  finish(attempt: Attempt, input: unknown): Promise<Proof>
  /** How a person comes to have it. */
  readonly enrolment?: Enrolment
}

/**
 * A partial template inside the form with the field `identifier`, which posts to the first such factor: it brings its
 * submit button, with a `formaction` of its own where it posts elsewhere. With `ownForm` it stands outside, a form itself.
 */
export interface FirstView extends View {
  readonly ownForm?: boolean
}

/** Who adds a way to sign in, and where: on his account's pages, or in the middle of a sign-in that demands it. */
export interface Holder {
  /** The owner of what is remembered for it. */
  readonly id: string
  readonly user: { readonly id: UserId; readonly name: string }
  readonly request: RequestFacts
  readonly locale: string
  /** What stays signed in when others are signed out for the change. */
  readonly keep: Kept
}

/** What outlives the end of everything else of a user: a session, and the sign-in in which he is. */
export interface Kept {
  readonly sessionUid?: string
  readonly interactionUid?: string
}

/** The making of a way to sign in. Both halves may be asked for again: the form is shown anew after a wrong answer. */
export interface Enrolment {
  /** What it is called where it is offered: `<label>` and, for a sentence about it, `<label>-hint` are messages. */
  readonly label: string
  /** The partial template inside the form that posts to it. */
  begin(holder: Holder): Promise<View>
  /** Throws an `AppError` that is shown. The proof, where making it proved that the person has it. */
  finish(holder: Holder, input: unknown): Promise<Proof | undefined>
}

/**
 * A page between the proofs and the end of a sign-in: terms to accept, a code list that runs out, a better way to sign in.
 * `due` is asked once all is proven; what is finished is not asked again in the same sign-in.
 */
export interface Interlude {
  /** Its segment in the addresses of a sign-in. */
  readonly name: string
  readonly order: number
  /** What the browser has to be able to do: a word that a script puts into the field `able` of the first form. */
  readonly capability?: string
  due(attempt: ProvenAttempt): Promise<boolean>
  /** A partial template inside the form that posts to it; its buttons are its own. */
  show(attempt: ProvenAttempt): Promise<View>
  /**
   * Throws an `AppError` that is shown. `again` where it is not over, as after sending what is to be answered; the proof,
   * where a way to sign in was made.
   */
  finish(attempt: ProvenAttempt, input: unknown): Promise<'again' | Proof | undefined>
}

export interface ProvenAttempt extends Attempt {
  readonly userId: UserId
  readonly holder: Holder
  /** What a script found the browser to be able to do: of what interludes name as their `capability`. */
  readonly able: readonly string[]
  /**
   * Whether all that guards the account was proven now: no session of before and no trusted device stood for any of it.
   * Nothing may be added to the account where not.
   */
  readonly provenAnew: boolean
}
