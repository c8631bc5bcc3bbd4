import type { AuthorizationDetail } from '../../kernel/authorization-details.ts'
import type { Level } from '../../kernel/levels.ts'

/** What asking for a person who is elsewhere needs of the rest of the house. */
export interface BackchannelPorts {
  /** Whom an application means by an e-mail address, a user name or an identifier. */
  findByHint(hint: string): Promise<{ readonly id: string } | undefined>
  /** An application waits for the answer of a person, who is told so. */
  asked(request: WaitingRequest): Promise<void>
  /** A person has answered, and the application wants to be told (CIBA Core 1.0 §10.2). */
  tell(notification: AnswerNotification): Promise<void>
}

/** A request that a person has not answered yet. */
export interface WaitingRequest {
  /** Names it on the person's own pages; of no use to anybody else. */
  readonly id: string
  readonly userId: string
  readonly clientId: string
  /** What the application shows at its end, too, so that the person can tell which request it is. */
  readonly bindingMessage: string | undefined
  /** Those of people, `offline_access` included. */
  readonly scopes: readonly string[]
  /** API scopes by resource indicator. */
  readonly resources: Readonly<Record<string, readonly string[]>>
  /** What is asked in all its particulars (RFC 9396). */
  readonly authorizationDetails: readonly AuthorizationDetail[]
  /** Levels one of which the request would be content with; empty where it says nothing. */
  readonly levels: readonly Level[]
  readonly startedAt: Date
  readonly expiresAt: Date
}

export interface AnswerNotification {
  readonly clientId: string
  readonly endpoint: string
  /** By which the application knows that it is we who call. */
  readonly token: string
  readonly authReqId: string
  /** ISO 8601; afterwards there is nothing to be had. */
  readonly expiresAt: string
}

/** The doors through which a person's pages answer. */
export interface BackchannelDoors {
  /** The oldest first. */
  waiting(userId: string): Promise<readonly WaitingRequest[]>
  /** Whether its application can still fetch what came of a request (`auth_req_id`). */
  isUnclaimed(authReqId: string): Promise<boolean>
  /** What his session lacks to approve it; `undefined` where it is worth enough. */
  missing(request: WaitingRequest, sessionUid: string): Promise<Level | undefined>
  /**
   * Throws `approvals.gone` (404) where nothing waits under the identifier, be it that it was answered or ran out, and
   * `approvals.needs_more` (403) where the session is not worth enough to approve it.
   */
  answer(answer: {
    readonly id: string
    readonly userId: string
    readonly sessionUid: string
    readonly approved: boolean
  }): Promise<WaitingRequest>
}
