import type { Area } from './area.ts'

/** The device authorization grant (RFC 8628). */
export const deviceFlow: Area = {}
