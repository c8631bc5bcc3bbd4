import type { Area } from './area.ts'

/** Clients that register themselves (RFC 7591, RFC 7592) or are described by a document. */
export const registration: Area = {}
