import type { DatabaseTransaction } from '../../storage/storage.ts'

/** Work to be done at least once, after the transaction that causes it. */
export interface Outbox {
  /** The delivery of its topic gets the payload, which is kept sealed. */
  put(db: DatabaseTransaction, topic: string, payload: unknown): Promise<void>
  /** Each of them is delivered by itself. */
  putAll(db: DatabaseTransaction, topic: string, payloads: readonly unknown[]): Promise<void>
}

/** What waits to be delivered, or was given up. */
export interface QueuedMessage {
  readonly id: string
  readonly payload: unknown
  /** How often it was tried. */
  readonly attempts: number
  readonly createdAt: Date
  /** When it is tried next. */
  readonly availableAt: Date
  readonly abandonedAt: Date | null
  /** What went wrong last, as one line. */
  readonly lastError: string | null
}

/** What waits or was given up, for the command line. */
export interface OutboxQueue {
  /** At most `limit`, the oldest first. */
  list(topic: string, limit: number): Promise<readonly QueuedMessage[]>
  /** Makes everything of the topic, or one message, due at once, also what was given up; answers with how many. */
  retry(topic: string, id?: string): Promise<number>
}

/** Delivers in this process, for as long as it runs. */
export interface OutboxWorker {
  /** From now on what is put is delivered right after its commit, in this process. */
  start(): void
  /** Delivers what is due, and answers when nothing is left that is due or under way here. */
  drain(): Promise<void>
  /** Begins nothing more, and lets what is under way finish for so long; then it is broken off and waits for the next process. */
  stop(graceSeconds: number): Promise<void>
}
