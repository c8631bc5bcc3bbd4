import type { Check } from './check.ts'

export const backchannelChecks: readonly Check[] = []
