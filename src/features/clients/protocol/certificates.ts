import type { ProtocolField } from './field.ts'

/** How a client proves itself by a TLS certificate (RFC 8705). */
export const certificateFields = {} as const satisfies Readonly<Record<string, ProtocolField>>
