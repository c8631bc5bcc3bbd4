import type { ProtocolField } from './field.ts'

/** With what is signed and encrypted for a client and by it. */
export const encryptionFields = {} as const satisfies Readonly<Record<string, ProtocolField>>
