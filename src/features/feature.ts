import type { UserId } from '../kernel/ids.ts'
import type { InputFields, Resource, ResourceDefinition } from '../kernel/resource.ts'
import type { DatabaseTransaction } from '../storage/storage.ts'
import type { MailedLink, Panel } from './account-sockets.ts'
import type { Factor, Interlude } from './sign-in-sockets.ts'

export type * from './account-sockets.ts'
export type * from './sign-in-sockets.ts'

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
  /** Told of all sessions that end together: what signs out of the applications plugs in here. */
  sessionsEnded?(db: DatabaseTransaction, ended: readonly EndedSession[]): Promise<void>
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

/** A JSON document that anybody may read, at an address of its own (RFC 8615). */
export interface PublicDocument {
  readonly path: string
  readonly body: string
}

/** A session that ends, before its time or with it; told in the transaction that ends it. */
export interface EndedSession {
  readonly userId: string
  readonly sessionUid: string
  /** The clients that signed the person in through it. */
  readonly clientIds: readonly string[]
  /** What each of those that got something calls the session: the `sid` of its ID tokens. */
  readonly sids: Readonly<Record<string, string>>
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
