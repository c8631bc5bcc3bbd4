import type { Check } from './check.ts'

export const logoutChecks: readonly Check[] = []
