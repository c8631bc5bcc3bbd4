import type { ClientDraft } from '../client.ts'

/** What is wrong with one field by itself. */
export interface FieldFault {
  readonly field: keyof ClientDraft
  readonly text: string
}

/** What does not fit together in a client, as a sentence that says what to do; `undefined` where all does. */
export type Check = (draft: ClientDraft) => string | FieldFault | undefined
