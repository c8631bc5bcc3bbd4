/** Where a sign-in can stand: ways to sign in, proofs and demands for the function that decides what comes next. */
import type { Proof } from '../../src/features/feature.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import type { Level } from '../../src/kernel/levels.ts'
import type { FactorState, Situation } from '../../src/pages/login/next-step.ts'

export const ada = 'ada' as UserId
export const bob = 'bob' as UserId
export const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 12, minute))

export const factor = (name: string, own: Partial<FactorState> = {}): FactorState => ({
  name,
  offers: 'second',
  order: 50,
  backup: false,
  reaches: 'multi-factor',
  enrolled: false,
  enrollable: true,
  ...own,
})
export const word = factor('word', { offers: 'first', order: 1, enrolled: true, enrollable: false })
export const app = factor('app', { order: 2 })
export const key = factor('key', { offers: 'either', order: 3, reaches: 'phishing-resistant' })
export const sheet = factor('sheet', { order: 9, backup: true })
export const has = (state: FactorState): FactorState => ({ ...state, enrolled: true })

export const proof = (name: string, minute: number, own: Partial<Proof> = {}): Proof => ({
  factor: name,
  userId: ada,
  amr: [name],
  at: at(minute),
  ...own,
})
export const byWord = proof('word', 1)
export const byApp = proof('app', 2)
export const byKey = proof('key', 3, { level: 'phishing-resistant' })

export const situation = (own: Partial<Situation> = {}): Situation => ({
  proofs: [],
  demand: { strict: 'single-factor', standing: 'single-factor' },
  factors: [word, app, key, sheet],
  trusted: false,
  enrolledNow: false,
  later: [],
  interludes: [],
  ...own,
})
export const demand = (strict: Level, standing: Level = 'single-factor', graceUntil?: Date) => ({
  demand: { strict, standing, ...(graceUntil && { graceUntil }) },
})
