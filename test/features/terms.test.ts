import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTerms } from '../../src/features/terms/index.ts'
import { attempt, openPeople, type People, request } from '../support/people.ts'

const fails = (code: string, status: number) => expect.objectContaining({ code, status })

describe('terms', () => {
  let people: People
  beforeEach(async () => {
    people = await openPeople()
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const none = { url: undefined, version: undefined, privacyUrl: undefined }
  const some = { ...none, url: 'https://example.com/terms', version: '1' }
  const open = (settings: typeof none | typeof some = some) => openTerms({ ...people, settings })
  const proven = async () => {
    const { id } = await people.person({ username: 'anna' })
    const holder = { id: 'holder-1', user: { id, name: 'anna' }, request, locale: 'en', keep: {} }
    return { ...attempt(), userId: id, holder, able: [], provenAnew: true }
  }

  it('are nothing to accept where there are none', () => {
    const feature = open(none)
    expect([feature.interlude, feature.terms.inForce]).toEqual([undefined, undefined])
    feature.terms.require(undefined)
  })

  it.each([
    [{ ...none, version: '1' }, 'LATCHKEY_TERMS_URL'],
    [{ ...none, url: 'https://example.com' }, 'LATCHKEY_TERMS_VERSION'],
    [{ ...some, url: 'http://example.com' }, 'LATCHKEY_TERMS_URL'],
    [{ ...some, url: 'javascript:alert(1)' }, 'LATCHKEY_TERMS_URL'],
    [{ ...some, privacyUrl: 'data:text/html,x' }, 'LATCHKEY_TERMS_PRIVACY_URL'],
    [{ ...some, version: 'x'.repeat(101) }, 'LATCHKEY_TERMS_VERSION'],
  ])('stop the start where %j is no way to have them', (settings, variable) => {
    expect(() => open(settings as typeof some)).toThrow(variable)
  })

  it('are due until the version in force is accepted, and again for the next one', async () => {
    const anna = await proven()
    const first = open().interlude
    expect(await first?.due(anna)).toBe(true)
    for (const input of [{}, { terms: '' }, { terms: '2' }, { terms: ['1'] }, null, 'terms', { terms: 1 }])
      await expect(first?.finish(anna, input)).rejects.toThrow(fails('terms.not_accepted', 400))
    expect(await first?.due(anna)).toBe(true)
    await first?.finish(anna, { terms: '1' })
    expect(await first?.due(anna)).toBe(false)
    const second = open({ ...some, version: '2' }).interlude
    expect(await second?.due(anna)).toBe(true)
    await expect(second?.finish(anna, { terms: '1' })).rejects.toThrow(fails('terms.not_accepted', 400))
    people.clock.advance(60)
    await second?.finish(anna, { terms: '2' })
    const copy = await open().export?.(anna.userId)
    expect(copy).toMatchObject([{ version: '1' }, { version: '2' }])
    expect(await people.storage.db.auditEvent.count({ where: { action: 'terms.accepted' } })).toBe(2)
  })

  it('are accepted once, with the time of the first', async () => {
    const anna = await proven()
    const feature = open()
    const at = people.clock.now()
    await feature.interlude?.finish(anna, { terms: '1' })
    people.clock.advance(60)
    await feature.interlude?.finish(anna, { terms: '1' })
    expect(await people.storage.db.termsAcceptance.findMany()).toMatchObject([{ acceptedAt: at }])
    expect(await people.storage.db.auditEvent.count({ where: { action: 'terms.accepted' } })).toBe(1)
  })

  it('are accepted by one person alone', async () => {
    const anna = await proven()
    const ben = await people.person({ username: 'ben' })
    await open().interlude?.finish(anna, { terms: '1' })
    const his = { ...anna, userId: ben.id }
    expect(await open().interlude?.due(his)).toBe(true)
  })
})
