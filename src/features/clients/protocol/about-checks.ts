import type { Check } from './check.ts'

export const aboutChecks: readonly Check[] = []
