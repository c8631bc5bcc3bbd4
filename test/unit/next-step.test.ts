import { describe, expect, it } from 'vitest'
import type { Factor, Proof } from '../../src/features/feature.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { nextStep } from '../../src/pages/login/next-step.ts'

const one = { factors: 1 } as const
const two = { factors: 2 } as const

const factor = (name: string, offers: Factor['offers']): Factor => ({
  name,
  offers,
  enrolled: async () => true,
  finish: async () => Promise.reject(new Error('Nobody proves anything here.')),
})
const available = [factor('password', 'first'), factor('passkey', 'either'), factor('code', 'second')]

const ada = 'ada' as UserId
const bob = 'bob' as UserId
const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 12, minute))
const password = (userId: UserId, minute = 0): Proof => ({
  factor: 'password',
  userId,
  amr: ['pwd'],
  at: at(minute),
})
const passkey = (userId: UserId, minute = 0): Proof => ({
  factor: 'passkey',
  userId,
  amr: ['hwk', 'user'],
  at: at(minute),
})

describe('without a proof', () => {
  it.each([one, two])('asks for what can come first (%o)', (policy) => {
    expect(nextStep([], policy, available)).toEqual({ step: 'prove', factors: ['password', 'passkey'] })
  })

  it('offers nothing where nothing can come first', () => {
    expect(nextStep([], one, [factor('code', 'second')])).toEqual({ step: 'prove', factors: [] })
  })
})

describe('where one factor is enough', () => {
  it('is done with one proof: its person, its methods, its time', () => {
    expect(nextStep([password(ada, 3)], one, available)).toEqual({
      step: 'done',
      userId: ada,
      amr: ['pwd'],
      acr: 'urn:latchkey:acr:single-factor',
      at: at(3),
    })
  })

  it('does not call the several methods of one factor several factors', () => {
    expect(nextStep([passkey(ada)], one, available)).toMatchObject({
      amr: ['hwk', 'user'],
      acr: 'urn:latchkey:acr:single-factor',
    })
  })

  it('says so when more was proven than was demanded', () => {
    expect(nextStep([password(ada), passkey(ada)], one, available)).toMatchObject({
      amr: ['pwd', 'hwk', 'user', 'mfa'],
      acr: 'urn:latchkey:acr:multi-factor',
    })
  })

  it('is the first person who proved something, whoever else did', () => {
    expect(nextStep([password(ada, 1), passkey(bob, 2)], one, available)).toEqual({
      step: 'done',
      userId: ada,
      amr: ['pwd'],
      acr: 'urn:latchkey:acr:single-factor',
      at: at(1),
    })
  })
})

describe('where two factors are demanded', () => {
  it('asks after one for another that can come second', () => {
    expect(nextStep([password(ada)], two, available)).toEqual({ step: 'prove', factors: ['passkey', 'code'] })
  })

  it('does not offer again what has been proven', () => {
    expect(nextStep([passkey(ada)], two, available)).toEqual({ step: 'prove', factors: ['code'] })
  })

  it('is done with two', () => {
    expect(nextStep([password(ada, 1), passkey(ada, 2)], two, available)).toEqual({
      step: 'done',
      userId: ada,
      amr: ['pwd', 'hwk', 'user', 'mfa'],
      acr: 'urn:latchkey:acr:multi-factor',
      at: at(2),
    })
  })

  it.each([
    ['password', password(ada, 1), password(ada, 2), ['passkey', 'code']],
    ['passkey', passkey(ada, 1), passkey(ada, 2), ['code']],
  ])('counts the same factor twice as one (%s)', (_name, first, again, factors) => {
    expect(nextStep([first, again], two, available)).toEqual({ step: 'prove', factors })
  })

  it('does not add the proofs of different people', () => {
    expect(nextStep([password(ada), passkey(bob)], two, available)).toEqual({
      step: 'prove',
      factors: ['passkey', 'code'],
    })
  })

  it('takes nothing from another person into a sign-in that is done', () => {
    const other: Proof = { factor: 'code', userId: bob, amr: ['otp'], at: at(9) }
    expect(nextStep([password(ada, 1), other, passkey(ada, 2)], two, available)).toEqual({
      step: 'done',
      userId: ada,
      amr: ['pwd', 'hwk', 'user', 'mfa'],
      acr: 'urn:latchkey:acr:multi-factor',
      at: at(2),
    })
  })
})

describe('the time of the sign-in', () => {
  it.each([
    ['in order', 1, 7],
    ['out of order', 7, 1],
  ])('is that of the latest proof, listed %s', (_name, first, second) => {
    expect(nextStep([password(ada, first), passkey(ada, second)], two, available)).toMatchObject({
      at: at(7),
    })
  })
})

it('names a method once that two factors share', () => {
  const proofs: Proof[] = [
    { factor: 'passkey', userId: ada, amr: ['user', 'hwk'], at: at(1) },
    { factor: 'card', userId: ada, amr: ['sc', 'user'], at: at(2) },
  ]
  expect(nextStep(proofs, two, available)).toMatchObject({ amr: ['user', 'hwk', 'sc', 'mfa'] })
})
