import type { RequestFacts } from '../kernel/http.ts'
import type { UserId } from '../kernel/ids.ts'
import type { InputFields, Resource, ResourceDefinition } from '../kernel/resource.ts'

/** A capability of the product. It plugs into the sockets it needs; nothing central names it but `app.ts`. */
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
}

/** One sign-in under way. It lives on the server; forms carry nothing of it. */
export interface Attempt {
  /** The interaction it belongs to. */
  readonly id: string
  readonly clientId: string
  /** Established by the first proof, or by the session that is to be confirmed; never by a form. */
  readonly userId?: UserId
  readonly proofs: readonly Proof[]
  readonly request: RequestFacts
  /** The identifier in the browser's device cookie: random, and worth only what was remembered under it. */
  readonly device?: string
}

/** A way of proving who one is. It never redirects and never decides what comes next. */
export interface Factor {
  readonly name: string
  readonly offers: 'first' | 'second' | 'either'
  enrolled(userId: UserId): Promise<boolean>
  /** Checks what the person gave. Throws an `AppError` when it proves nothing. */
  finish(attempt: Attempt, input: unknown): Promise<Proof>
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
