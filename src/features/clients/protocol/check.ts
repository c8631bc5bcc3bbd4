import type { ClientDraft } from '../client.ts'

/** What does not fit together in a client, as a sentence that says what to do; `undefined` where all does. */
export type Check = (draft: ClientDraft) => string | undefined
