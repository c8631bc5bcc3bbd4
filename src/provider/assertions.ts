import type { Area } from './area.ts'

/** Tokens for the assertions of trusted issuers (RFC 7523). */
export const assertions: Area = {}
