import type { Area } from './area.ts'

/** Rich authorization requests (RFC 9396). */
export const authorizationDetails: Area = {}
