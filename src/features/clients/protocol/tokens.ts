import type { ProtocolField } from './field.ts'

/** What the tokens of a client hold, and for how long. */
export const tokenFields = {} as const satisfies Readonly<Record<string, ProtocolField>>
