import type { Check } from './check.ts'

export const profileChecks: readonly Check[] = []
