import type { Check } from './check.ts'

export const certificateChecks: readonly Check[] = []
