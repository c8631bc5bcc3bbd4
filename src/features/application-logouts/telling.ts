/** The end of a session, as one application is told of it. */
export interface Logout {
  readonly clientId: string
  readonly userId: string
  readonly sessionUid: string
  /** What the application calls the session. */
  readonly sid: string
}

/** `failed` is given up, or no longer wanted. */
export const states = ['waiting', 'delivered', 'refused', 'failed'] as const
export type State = (typeof states)[number]

export interface Telling extends Logout {
  readonly id: string
  readonly createdAt: Date
  /** A failure after this instant is the last one. */
  readonly triesUntil: Date
}

export interface StoredTelling extends Telling {
  readonly state: string
  readonly attempts: number
  /** Of the last failure, or why it was given up. */
  readonly reason: string | null
  readonly lastTriedAt: Date | null
  readonly endedAt: Date | null
}
