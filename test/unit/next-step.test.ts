import { describe, expect, it } from 'vitest'
import { nextStep } from '../../src/pages/login/next-step.ts'
import {
  ada,
  app,
  at,
  bob,
  byApp,
  byKey,
  byWord,
  demand,
  factor,
  has,
  key,
  proof,
  sheet,
  situation,
  word,
} from '../support/situations.ts'

describe('without a proof', () => {
  it('asks for what can come first, in the order of the factors', () => {
    const factors = [key, sheet, app, word]
    expect(nextStep(situation({ factors }))).toEqual({
      step: 'prove',
      place: 'first',
      factors: ['word', 'key'],
    })
  })

  it('asks a person who is known for what he has', () => {
    expect(nextStep(situation({ confirms: ada }))).toMatchObject({ place: 'first', factors: ['word'] })
    const factors = [factor('word', { offers: 'first' }), has(key)]
    expect(nextStep(situation({ confirms: ada, factors }))).toMatchObject({ factors: ['key'] })
  })

  it('takes no proof of somebody else for that of the person it is to confirm', () => {
    const proofs = [proof('word', 1, { userId: bob })]
    expect(nextStep(situation({ confirms: ada, proofs }))).toMatchObject({ step: 'prove', place: 'first' })
  })

  it('does not begin with what only comes second', () => {
    expect(nextStep(situation({ proofs: [], factors: [app, sheet] }))).toMatchObject({ factors: [] })
  })
})

describe('where one factor is enough', () => {
  it('is done with one proof: its person, its methods, its time', () => {
    expect(nextStep(situation({ proofs: [byWord] }))).toEqual({
      step: 'done',
      userId: ada,
      amr: ['word'],
      level: 'single-factor',
      acr: 'urn:latchkey:acr:single-factor',
      at: at(1),
    })
  })

  it('asks for the second factor of whoever has one', () => {
    const factors = [word, has(app), key, has(sheet)]
    expect(nextStep(situation({ proofs: [byWord], factors }))).toEqual({
      step: 'prove',
      place: 'second',
      factors: ['app', 'sheet'],
    })
  })

  it('does not ask for it where what came first is worth two', () => {
    const factors = [word, has(app), has(key)]
    expect(nextStep(situation({ proofs: [byKey], factors }))).toMatchObject({
      step: 'done',
      level: 'phishing-resistant',
      amr: ['key'],
    })
  })

  it('does not ask for another way in after one', () => {
    const factors = [word, has(key), has(sheet)]
    expect(nextStep(situation({ proofs: [byWord], factors }))).toMatchObject({ step: 'done' })
    const more = [word, has(key), has(app)]
    expect(nextStep(situation({ proofs: [byWord], factors: more }))).toEqual({
      step: 'prove',
      place: 'second',
      factors: ['app', 'key'],
    })
  })

  it('does not ask for a way out of which the others are gone', () => {
    const factors = [word, app, has(sheet)]
    expect(nextStep(situation({ proofs: [byWord], factors }))).toMatchObject({ step: 'done' })
  })

  it('does not ask on a device that is trusted, and says that one factor was proven', () => {
    const factors = [word, has(app)]
    expect(nextStep(situation({ proofs: [byWord], factors, trusted: true }))).toMatchObject({
      step: 'done',
      level: 'single-factor',
    })
  })
})

describe('what is demanded', () => {
  it('is met by two factors, whose methods and latest time are reported', () => {
    const proofs = [byApp, byWord]
    const factors = [word, has(app)]
    expect(nextStep(situation({ proofs, factors, ...demand('multi-factor') }))).toEqual({
      step: 'done',
      userId: ada,
      amr: ['app', 'word', 'mfa'],
      level: 'multi-factor',
      acr: 'urn:latchkey:acr:multi-factor',
      at: at(2),
    })
  })

  it('is not met by the same factor twice', () => {
    const proofs = [byWord, proof('word', 5)]
    expect(nextStep(situation({ proofs, ...demand('multi-factor') }))).toMatchObject({ step: 'enrol' })
  })

  it('is not met by the proofs of two people', () => {
    const proofs = [byWord, proof('app', 2, { userId: bob })]
    const factors = [word, has(app)]
    expect(nextStep(situation({ proofs, factors, ...demand('multi-factor') }))).toMatchObject({
      step: 'prove',
      place: 'second',
    })
  })

  it('is asked for on a trusted device too where the client or the request demands it', () => {
    const factors = [word, has(app)]
    const more = { proofs: [byWord], factors, trusted: true }
    expect(nextStep(situation({ ...more, ...demand('multi-factor') }))).toMatchObject({ step: 'prove' })
    expect(nextStep(situation({ ...more, ...demand('single-factor', 'multi-factor') }))).toMatchObject({
      step: 'done',
    })
  })

  it('asks only for what reaches it, once all that guards the account was proven', () => {
    const factors = [word, has(app), has(key), has(sheet)]
    const strict = demand('phishing-resistant')
    expect(nextStep(situation({ proofs: [byWord], factors, ...strict }))).toMatchObject({ factors: ['key'] })
    expect(nextStep(situation({ proofs: [byWord, byApp], factors, ...strict }))).toMatchObject({
      step: 'prove',
      factors: ['key'],
    })
  })

  it('lets nobody add what is demanded who has not proven the factor that guards the account', () => {
    const factors = [word, has(app), key, has(sheet)]
    const strict = demand('phishing-resistant')
    expect(nextStep(situation({ proofs: [byWord], factors, ...strict }))).toEqual({
      step: 'prove',
      place: 'second',
      factors: ['app', 'sheet'],
    })
    expect(nextStep(situation({ proofs: [byWord, byApp], factors, ...strict }))).toEqual({
      step: 'enrol',
      factors: ['key'],
    })
  })

  it('is reached by adding a way to sign in, never by a way out', () => {
    expect(nextStep(situation({ proofs: [byWord], ...demand('multi-factor') }))).toEqual({
      step: 'enrol',
      factors: ['app', 'key'],
    })
  })
})

describe('time to get ready', () => {
  const until = at(59)

  it('may be taken for what the server demands, until its end', () => {
    const asked = situation({ proofs: [byWord], ...demand('single-factor', 'multi-factor', until) })
    expect(nextStep(asked)).toEqual({
      step: 'enrol',
      factors: ['app', 'key'],
      later: { what: 'enrolment', until },
    })
    expect(nextStep({ ...asked, later: ['enrolment'] })).toMatchObject({
      step: 'done',
      level: 'single-factor',
    })
  })

  it('is over where none is left', () => {
    const asked = situation({ proofs: [byWord], ...demand('single-factor', 'multi-factor') })
    expect(nextStep({ ...asked, later: ['enrolment'] })).toEqual({ step: 'enrol', factors: ['app', 'key'] })
  })

  it('is none for what a client or a request demands', () => {
    const asked = situation({ proofs: [byWord], ...demand('multi-factor', 'multi-factor', until) })
    expect(nextStep({ ...asked, later: ['enrolment'] })).toEqual({ step: 'enrol', factors: ['app', 'key'] })
  })

  it('does not put off a factor that the person has', () => {
    const factors = [word, has(app)]
    const asked = situation({ proofs: [byWord], factors, ...demand('single-factor', 'multi-factor', until) })
    expect(nextStep({ ...asked, later: ['enrolment'] })).toMatchObject({ step: 'prove', factors: ['app'] })
  })
})

describe('after something was added', () => {
  const proven = { proofs: [byWord, byApp], factors: [word, has(app), key, sheet], enrolledNow: true }

  it('offers a way out beside it, once', () => {
    expect(nextStep(situation(proven))).toEqual({
      step: 'enrol',
      factors: ['sheet'],
      later: { what: 'backup' },
    })
    expect(nextStep(situation({ ...proven, later: ['backup'] }))).toMatchObject({ step: 'done' })
  })

  it('offers none to whoever has one', () => {
    const factors = [word, has(app), has(sheet)]
    expect(nextStep(situation({ ...proven, factors }))).toMatchObject({ step: 'done' })
  })
})

describe('interludes', () => {
  it('come one after the other when all is proven', () => {
    const more = { proofs: [byWord], interludes: ['terms', 'offer'] }
    expect(nextStep(situation(more))).toEqual({ step: 'interlude', name: 'terms' })
  })

  it('never come before it', () => {
    const factors = [word, has(app)]
    expect(nextStep(situation({ proofs: [byWord], factors, interludes: ['terms'] }))).toMatchObject({
      step: 'prove',
    })
  })
})

it('names a method once that two factors share', () => {
  const proofs = [proof('word', 1, { amr: ['user', 'pwd'] }), proof('app', 2, { amr: ['otp', 'user'] })]
  expect(nextStep(situation({ proofs }))).toMatchObject({ amr: ['user', 'pwd', 'otp', 'mfa'] })
})
