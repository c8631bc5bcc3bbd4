/** How a client is told that somebody signed out, in the words of its metadata. */
export interface LogoutFields {
  readonly backchannelLogoutUri?: string | undefined
  readonly backchannelLogoutSessionRequired?: boolean | undefined
  readonly frontchannelLogoutUri?: string | undefined
  readonly frontchannelLogoutSessionRequired?: boolean | undefined
}

/** The end of a session, as one application is told of it. */
export interface ToldLogout {
  readonly clientId: string
  readonly userId: string
  readonly sessionUid: string
  /** What the application calls the session. */
  readonly sid: string
}

/** What came of one attempt to tell: the application has taken it, has refused it, or wants none (any more). */
export type LogoutAnswer = 'told' | 'refused' | 'not-wanted'

/** Sends a logout token made at this moment. Throws where nobody answered or the answer was neither yes nor no. */
export type SendLogout = (logout: ToldLogout) => Promise<LogoutAnswer>

export interface ApplicationLogouts {
  /** From now on deliveries of this process go out by it. */
  connect(send: SendLogout): void
  /** Tells one application whose part of a session ends while the session goes on. */
  tell(logout: ToldLogout): Promise<void>
}
