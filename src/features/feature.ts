import type { RequestFacts } from '../kernel/http.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Level } from '../kernel/levels.ts'
import type { InputFields, Resource, ResourceDefinition } from '../kernel/resource.ts'
import type { Text, View } from '../kernel/text.ts'
import type { DatabaseTransaction } from '../storage/storage.ts'

/** A capability of the product. It plugs into the sockets it needs; `open-features.ts` opens it. */
export interface Feature {
  /** Equals the folder, the view folder, the URL segment and the audit prefix. */
  readonly name: string
  /** `pages/login` offers it. */
  readonly factor?: Factor
  /** `provider` adds it to tokens. */
  readonly claims?: Claims
  /** The command line (and whatever else administrates) derives from it. */
  readonly resource?: Resource
  /** Verbs of the command line that are not about one administrable thing. */
  readonly commands?: readonly Command[]
  /** The host runs them. */
  readonly jobs?: readonly Job[]
  /** `pages/login` shows it before a sign-in ends. */
  readonly interlude?: Interlude
  /** `pages/account` shows them. */
  readonly panels?: readonly Panel[]
  /** `pages` open them. */
  readonly links?: readonly MailedLink[]
  /** The host answers with them. */
  readonly documents?: readonly PublicDocument[]
  /** The outbox hands out to them. */
  readonly deliveries?: readonly Delivery[]
  /** Told of each session that somebody ends: what signs out of the applications plugs in here. */
  sessionEnded?(db: DatabaseTransaction, ended: EndedSession): Promise<void>
  /** What it holds of a person, for the copy that he may ask for; no secrets. Keyed by the feature. */
  export?(userId: UserId): Promise<unknown>
}

/** What is known of a feature without opening anything; every `Feature` is one too. */
export interface FeatureDefinition {
  readonly name: string
  /** Of its verbs on the command line, where they are not a resource's: one sentence. */
  readonly documentation?: string
  readonly resource?: ResourceDefinition
  readonly commands?: readonly CommandDefinition[]
}

/** A fact established about the person of an attempt. `amr` are values of RFC 8176. */
export interface Proof {
  readonly factor: string
  readonly userId: UserId
  readonly amr: readonly string[]
  readonly at: Date
  /** What it is worth alone; `single-factor` where absent. */
  readonly level?: Level
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

/** A part of a page of a person's account. Posts go to `/account/<page>/<panel>/<act>`. */
export interface Panel {
  /** Its segment in the addresses. */
  readonly name: string
  readonly page: AccountPage
  readonly order: number
  /** A partial template; `undefined` where there is nothing to show. */
  show(visit: Visit): Promise<View | undefined>
  /** A page of its own below the page: `/account/<page>/<panel>/<name>`. */
  readonly pages?: Readonly<Record<string, PanelPage>>
  readonly acts?: Readonly<Record<string, PanelAct>>
}

export type AccountPage = 'profile' | 'security' | 'devices' | 'applications' | 'activity' | 'data'

/** Its addresses keep the parameters `for`, `iss`, `state` and `error…` to the sign-in that leads back to them. */
export interface PanelPage {
  /** Only for who has proven who he is in the last minutes (security.md: changes of credentials). */
  readonly fresh?: boolean
  /** A message. */
  readonly title: string
  /**
   * A partial template, the whole of the page below its title. After a refused form `query` is what was posted, without
   * secrets; after a form that was sent too late, and a proof, only its `id`.
   */
  show(visit: Visit, query: Readonly<Record<string, string>>): Promise<View>
}

export interface PanelAct {
  /** A form that is sent too late changes nothing: the person proves who he is, and is asked to do it again. */
  readonly fresh?: boolean
  /** The page on which a refused form is shown again, by its name in `pages`; the account's page where absent. */
  readonly page?: string
  /** Throws an `AppError` that is shown beside the form. */
  run(visit: Visit, form: Readonly<Record<string, string>>, file?: UploadedFile): Promise<ActOutcome>
  /** Takes at most one file as `multipart/form-data`, of at most so many bytes; `file` is absent where none was chosen. */
  readonly fileBytes?: number
}

export interface UploadedFile {
  readonly body: Buffer
  readonly type: string
}

/** What an act leads to: the page again with a word about what happened, another page, something to see once, or a file. */
export type ActOutcome =
  | { readonly notice: Text }
  | { readonly to: string; readonly notice?: Text }
  | { readonly title: string; readonly view: View }
  | { readonly file: { readonly name: string; readonly type: string; readonly body: string } }
  | { readonly signedOut: true }

/** Somebody signed in, on the pages of his account. */
export interface Visit {
  readonly userId: UserId
  readonly sessionUid: string
  /** When he last proved who he is. */
  readonly authenticatedAt: Date
  readonly holder: Holder
  readonly request: RequestFacts
  readonly locale: string
  readonly device?: string
}

/**
 * A mailed link: `/link/<name>?token=…`. Opening it changes nothing, since mail scanners open links too; its form does.
 */
export interface MailedLink {
  readonly name: string
  /** A partial template inside the form that posts the token. Throws an `AppError` for a link that is of no use. */
  show(token: string, visit: LinkVisit): Promise<LinkPage>
  finish(token: string, input: unknown, visit: LinkVisit): Promise<LinkPage | { readonly to: string }>
}

export interface LinkPage {
  /** A message. */
  readonly title: Text
  readonly view: View
}

export interface LinkVisit {
  readonly request: RequestFacts
  readonly locale: string
  readonly device?: string
}

/** A JSON document that anybody may read, at an address of its own (RFC 8615). */
export interface PublicDocument {
  readonly path: string
  readonly body: string
}

/** A session that ends before its time; told in the transaction that ends it. */
export interface EndedSession {
  readonly userId: string
  readonly sessionUid: string
  /** The clients that signed the person in through it. */
  readonly clientIds: readonly string[]
}

/** Delivers what the outbox holds under a topic. At least once, so what it does must bear being done twice. */
export interface Delivery {
  readonly topic: string
  /**
   * Throws where it failed; it is tried again later, unless an `AppError` of a status below 500 says that this is of no
   * use. The signal breaks off what takes too long.
   */
  deliver(payload: unknown, signal: AbortSignal): Promise<void>
}

export interface ClaimsRequest {
  readonly userId: UserId
  readonly scopes: ReadonlySet<string>
}

/** Claims about a user, by the scope that gives them (OpenID Connect Core 1.0 §5.4). */
export interface Claims {
  readonly scopes: Readonly<Record<string, readonly string[]>>
  claims(request: ClaimsRequest): Promise<Readonly<Record<string, unknown>>>
}

/** Background work. `run` does one bounded batch and says whether more is waiting. It must be safe to repeat. */
export interface Job {
  readonly name: string
  readonly everySeconds: number
  run(): Promise<{ readonly more: boolean }>
}

/** What is known of a command without opening anything. */
export interface CommandDefinition {
  /** The words after `latchkey`. */
  readonly words: readonly string[]
  readonly documentation: string
  readonly input: InputFields
}

/** A verb such as `keys rotate`. */
export interface Command extends CommandDefinition {
  /** Throws an `AppError` whose message says what to do. */
  run(input: Readonly<Record<string, unknown>>): Promise<CommandAnswer>
}

export interface CommandAnswer {
  /** Lines for a person. */
  readonly text: string
  /** The same for a program (`--json`). */
  readonly json: unknown
}
