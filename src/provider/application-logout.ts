import type { Area } from './area.ts'

/** Telling applications that somebody signed out (back-channel and front-channel logout). */
export const applicationLogout: Area = {}
