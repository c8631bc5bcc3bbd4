import type { ProtocolField } from './field.ts'

/** What a client says of itself and of who runs it. */
export const aboutFields = {} as const satisfies Readonly<Record<string, ProtocolField>>
