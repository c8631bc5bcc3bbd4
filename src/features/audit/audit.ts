import type { Actor, RequestFacts } from '../../kernel/http.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'

/** Something that happened and matters to who answers for the system. Never put a secret or a token into `detail`. */
export interface AuditEvent {
  /** `feature.what_happened`, such as `passwords.signed_in`. */
  readonly action: string
  readonly outcome: 'success' | 'failure'
  readonly actor?: Actor
  readonly userId?: string
  readonly clientId?: string
  readonly request?: RequestFacts
  readonly detail?: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

/** An entry as it was stored. */
export interface StoredEvent extends Required<Pick<AuditEvent, 'action' | 'outcome' | 'detail'>> {
  readonly id: string
  readonly at: Date
  /** `user:<id>`, or the kind of whoever else did it. */
  readonly actor: string | null
  readonly clientId: string | null
  readonly address: string | null
  readonly userAgent: string | null
}

export interface Audit {
  /** Stores and logs the event. Does not throw: an action that happened is not undone by a full disk, but the log says so. */
  record(event: AuditEvent): Promise<void>
  /** Stores the event in the transaction of its cause, so that neither is there without the other. */
  recordIn(db: DatabaseTransaction, event: AuditEvent): Promise<void>
}
