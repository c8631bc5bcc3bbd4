import type { Check } from './check.ts'

export const exchangeChecks: readonly Check[] = []
