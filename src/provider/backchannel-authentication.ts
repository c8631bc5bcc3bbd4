import type { Area } from './area.ts'

/** Asking for a person who is elsewhere (OpenID Connect CIBA 1.0). */
export const backchannelAuthentication: Area = {}
