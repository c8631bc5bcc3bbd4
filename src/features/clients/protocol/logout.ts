import type { ProtocolField } from './field.ts'

/** How a client is told that somebody signed out. */
export const logoutFields = {} as const satisfies Readonly<Record<string, ProtocolField>>
