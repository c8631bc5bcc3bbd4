import type { Area } from './area.ts'

/** What is signed and encrypted beside tokens: requests, responses, user information. */
export const encryption: Area = {}
