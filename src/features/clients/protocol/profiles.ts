import type { ProtocolField } from './field.ts'

/** Which security profile a client keeps to, and what it may do beyond or short of it. */
export const profileFields = {} as const satisfies Readonly<Record<string, ProtocolField>>
