import type { Check } from './check.ts'

export const tokenChecks: readonly Check[] = []
