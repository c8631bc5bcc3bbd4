import type { ProtocolField } from './field.ts'

/** How a client asks for a person who is elsewhere (CIBA). */
export const backchannelFields = {} as const satisfies Readonly<Record<string, ProtocolField>>
