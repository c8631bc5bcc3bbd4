import type { Area } from './area.ts'

/** Tokens for tokens (RFC 8693). */
export const tokenExchange: Area = {}
