import type { Area } from './area.ts'

/** The security profiles that a client can keep to. */
export const profiles: Area = {}
