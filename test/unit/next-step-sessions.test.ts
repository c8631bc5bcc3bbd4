import { describe, expect, it } from 'vitest'
import { isProvenAnew, nextStep, sessionFactor } from '../../src/pages/login/next-step.ts'
import {
  ada,
  app,
  at,
  byApp,
  byKey,
  byWord,
  demand,
  factor,
  has,
  key,
  proof,
  situation,
  word,
} from '../support/situations.ts'

describe('what a session has proven before', () => {
  const held = proof(sessionFactor, 0, { amr: ['pwd'] })
  const factors = [word, has(app)]

  it('needs only more, and keeps its time', () => {
    const strict = demand('multi-factor')
    expect(nextStep(situation({ confirms: ada, proofs: [held], factors, ...strict }))).toMatchObject({
      place: 'second',
      factors: ['app'],
    })
    expect(nextStep(situation({ confirms: ada, proofs: [held, byApp], factors, ...strict }))).toMatchObject({
      step: 'done',
      level: 'multi-factor',
      amr: ['pwd', 'app', 'mfa'],
      at: at(0),
    })
  })
})

describe('a session alone', () => {
  const held = proof(sessionFactor, 0, { amr: ['pwd'] })

  it('adds no way to sign in: its person proves first that it is still he', () => {
    const asked = situation({ confirms: ada, proofs: [held], ...demand('multi-factor') })
    expect(nextStep(asked)).toEqual({ step: 'prove', place: 'first', factors: ['word'] })
    expect(nextStep({ ...asked, proofs: [held, byWord] })).toEqual({ step: 'enrol', factors: ['app', 'key'] })
  })

  it('adds none together with a mailed code either, before all that guards the account was proven now', () => {
    const mail = factor('mail', { offers: 'either', order: 4, enrolled: true })
    const byMail = proof('mail', 5)
    const strong = proof(sessionFactor, 0, { amr: ['pwd', 'otp'], level: 'multi-factor' })
    const asked = situation({ confirms: ada, ...demand('phishing-resistant') })
    const factors = [word, has(app), mail, key]
    expect(nextStep({ ...asked, proofs: [strong, byMail], factors })).toEqual({
      step: 'prove',
      place: 'second',
      factors: ['app'],
    })
    expect(nextStep({ ...asked, proofs: [strong, byMail, byApp], factors })).toMatchObject({ step: 'enrol' })
    // Where the mailed code only comes second, it has nothing to come after.
    const second = [word, { ...mail, offers: 'second' as const }, key]
    expect(nextStep({ ...asked, proofs: [held, byMail], factors: second })).toMatchObject({
      step: 'prove',
      place: 'first',
    })
  })

  it('has nothing of it proven anew by a trusted device', () => {
    const factors = [word, has(app)]
    expect(isProvenAnew(situation({ confirms: ada, proofs: [byWord], factors, trusted: true }))).toBe(false)
    expect(isProvenAnew(situation({ confirms: ada, proofs: [byWord, byApp], factors }))).toBe(true)
    expect(isProvenAnew(situation({ confirms: ada, proofs: [byWord] }))).toBe(true)
    expect(isProvenAnew(situation({ confirms: ada, proofs: [held] }))).toBe(false)
    expect(
      isProvenAnew(situation({ confirms: ada, proofs: [byKey], factors: [word, has(app), has(key)] })),
    ).toBe(true)
  })

  it('is asked for the first proof before the second where something will be added', () => {
    const asked = situation({
      confirms: ada,
      ...demand('phishing-resistant'),
      factors: [word, has(app), key],
    })
    expect(nextStep({ ...asked, proofs: [held] })).toEqual({
      step: 'prove',
      place: 'first',
      factors: ['word'],
    })
    expect(nextStep({ ...asked, proofs: [held, byWord] })).toMatchObject({
      place: 'second',
      factors: ['app'],
    })
    expect(nextStep({ ...asked, proofs: [held, byWord, byApp] })).toMatchObject({ step: 'enrol' })
  })

  it('is no second factor beside the same proof made anew', () => {
    expect(nextStep(situation({ confirms: ada, proofs: [held, byWord] }))).toMatchObject({
      step: 'done',
      level: 'single-factor',
      amr: ['word'],
      at: at(1),
    })
  })
})
