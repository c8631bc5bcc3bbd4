import type { Area } from './area.ts'

/** TLS client certificates (RFC 8705). */
export const certificates: Area = {}
