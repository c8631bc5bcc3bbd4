import type { Area } from './area.ts'

/** What access tokens hold, and JWT ones that were revoked. */
export const accessTokens: Area = {}
