import type { ProtocolField } from './field.ts'

/** Which tokens of others a client may bring. */
export const exchangeFields = {} as const satisfies Readonly<Record<string, ProtocolField>>
