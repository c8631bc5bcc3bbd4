import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Holder } from '../../src/features/feature.ts'
import type { User } from '../../src/features/users/index.ts'
import { hashSecret } from '../../src/kernel/ids.ts'
import { attempt, change, request, tally } from '../support/people.ts'
import { enrolmentOf, openSecondFactors, type SecondFactors } from '../support/second-factors.ts'

const fails = (code: string, status: number) => expect.objectContaining({ code, status })
const wrong = fails('recovery-codes.wrong_code', 401)
const over = fails('recovery-codes.enrolment_over', 410)
const patient = { accountFailures: 10_000, deviceFailures: 10_000, addressFailures: 10_000 }

let house: SecondFactors
let anna: User
let holder: Holder
beforeEach(async () => {
  house = await openSecondFactors(patient)
  anna = await house.person({ email: 'anna@example.com' })
  holder = house.holder(anna)
})
afterEach(() => house[Symbol.asyncDispose]())

const give = (code: unknown, of: User = anna) =>
  house.recoveryCodes.factor.finish(house.attemptOf(of), { code })
const rows = () => house.storage.db.recoveryCode.findMany()

describe('a recovery code', () => {
  let codes: readonly string[]
  let first: string
  beforeEach(async () => {
    codes = await house.makeCodes(holder)
    first = codes[0] ?? ''
    house.mails.length = 0
    house.ended.length = 0
  })

  it('is one of ten, of 120 random bits each', () => {
    expect(new Set(codes).size).toBe(10)
    for (const code of codes) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/)
  })

  it('proves a second factor, and stands in for the others', async () => {
    expect(await give(first)).toMatchObject({
      factor: 'recovery-code',
      userId: anna.id,
      amr: ['otp'],
      at: house.clock.now(),
    })
    expect(house.recoveryCodes.factor).toMatchObject({ offers: 'second', backup: true, order: 90 })
    expect(await house.recoveryCodes.factor.enrolled(anna.id)).toBe(true)
  })

  it('works once', async () => {
    await give(first)
    await expect(give(first)).rejects.toThrow(wrong)
    for (const code of codes.slice(1)) await give(code)
    for (const code of codes) await expect(give(code)).rejects.toThrow(wrong)
    expect(await house.recoveryCodes.factor.enrolled(anna.id)).toBe(false)
  })

  it('works for exactly one of twenty at the same time, in two processes', async () => {
    const other = await house.openAnother()
    const counts = await tally(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? house : other).recoveryCodes.factor.finish(house.attemptOf(anna), { code: first }),
      ),
    )
    expect(counts).toEqual({ success: 1, 'recovery-codes.wrong_code': 19 })
    expect(house.mails).toHaveLength(1)
  })

  it.each([
    ['small letters', (code: string) => code.toLowerCase()],
    ['blanks for dashes', (code: string) => ` ${code.replaceAll('-', ' ')}\n`],
    ['no dashes', (code: string) => code.replaceAll('-', '')],
    ['long dashes', (code: string) => code.replaceAll('-', '–')],
    [
      'O for 0, and I or l for 1',
      (code: string) => code.replaceAll('0', 'O').replace('1', 'I').replaceAll('1', 'l'),
    ],
    [
      'full-width characters',
      (code: string) =>
        [...code].map((character) => String.fromCodePoint((character.codePointAt(0) ?? 0) + 0xfee0)).join(''),
    ],
  ])('may be typed with %s', async (_, write) => {
    for (const code of codes) await give(write(code))
  })

  it('of somebody else proves nothing, and stays his', async () => {
    const bert = await house.person({ username: 'bert' })
    await house.makeCodes(house.holder(bert))
    await expect(give(first, bert)).rejects.toThrow(wrong)
    await give(first)
  })

  it('proves nothing for nobody, and nothing for a user who is disabled', async () => {
    await expect(house.recoveryCodes.factor.finish(attempt(), { code: first })).rejects.toThrow(
      fails('recovery-codes.nobody_yet', 400),
    )
    await house.users.disable(anna.id, change)
    await expect(give(first)).rejects.toThrow(wrong)
  })

  it('is asked for where a form comes empty or malformed', async () => {
    const missing = expect.objectContaining({ code: 'recovery-codes.code_missing', field: 'code' })
    const malformed = expect.objectContaining({ code: 'recovery-codes.code_malformed', field: 'code' })
    await expect(house.recoveryCodes.factor.finish(house.attemptOf(anna), {})).rejects.toThrow(missing)
    for (const code of ['', '\t']) await expect(give(code)).rejects.toThrow(missing)
    for (const code of [
      '123456',
      `${first}\0`,
      `${first}0`,
      first.slice(1),
      `U${first.slice(1)}`,
      'A'.repeat(9_999),
    ])
      await expect(give(code)).rejects.toThrow(malformed)
    for (const input of [null, { code: [first] }, { code: { not: '' } }, { code: first, userId: 'x' }])
      await expect(house.recoveryCodes.factor.finish(house.attemptOf(anna), input)).rejects.toThrow(
        fails('recovery-codes.invalid_input', 400),
      )
    expect(await house.storage.db.throttleCounter.count()).toBe(0)
  })

  it('that was used is told to its owner, with how many are left', async () => {
    await give(first)
    expect(house.mails).toMatchObject([
      { to: 'anna@example.com', text: { key: 'notice.recovery-code-used', params: { left: 9 } } },
    ])
    expect(house.ended).toEqual([])
  })

  it('is not used up where its use cannot be recorded', async () => {
    const { push } = house.mails
    house.mails.push = () => {
      throw new Error('The outbox is gone.')
    }
    await expect(give(first)).rejects.toThrow('The outbox is gone.')
    house.mails.push = push
    await give(first)
  })

  it('is nowhere in clear', async () => {
    await give(first)
    await expect(give(first)).rejects.toThrow(wrong)
    const { db } = house.storage
    const stored = JSON.stringify([
      await rows(),
      await db.auditEvent.findMany(),
      await db.challenge.findMany(),
      await db.throttleCounter.findMany({ select: { key: true } }),
      house.mails,
    ])
    for (const code of codes) {
      expect(stored).not.toContain(code)
      expect(stored).not.toContain(code.replaceAll('-', ''))
    }
    expect((await rows()).map(({ hash }) => hash)).toContain(hashSecret(first.replaceAll('-', '')))
    const events = await db.auditEvent.findMany({ select: { action: true, outcome: true } })
    expect(events).toEqual(
      expect.arrayContaining([
        { action: 'recovery-codes.made', outcome: 'success' },
        { action: 'recovery-codes.proved', outcome: 'success' },
        { action: 'recovery-codes.refused', outcome: 'failure' },
      ]),
    )
  })
})

describe('guessing recovery codes', () => {
  it('must wait after a few, from however many addresses, but not where the owner signed in before', async () => {
    await using strict = await openSecondFactors()
    const bert = await strict.person({ username: 'bert' })
    const [first = '', second = '', third = ''] = await strict.makeCodes(strict.holder(bert))
    const from = (address: string, code: string, device?: string) =>
      strict.recoveryCodes.factor.finish(
        strict.attemptOf(bert, { request: { ...request, address }, ...(device && { device }) }),
        { code },
      )
    await from('192.0.2.9', first, 'his own browser')
    const guesses = Array.from({ length: 20 }, (_, index) => from(`198.51.100.${index}`, '0'.repeat(24)))
    expect(await tally(guesses)).toEqual({ 'recovery-codes.wrong_code': 5, 'throttle.too_many_attempts': 15 })
    await expect(from('203.0.113.1', second)).rejects.toThrow(fails('throttle.too_many_attempts', 429))
    await from('192.0.2.9', third, 'his own browser')
  })
})

describe('making recovery codes', () => {
  const enrolment = () => enrolmentOf(house.recoveryCodes)
  const shown = async (by = holder) => (await enrolment().begin(by)).model.codes as readonly string[]

  it('shows the same ones until they are saved, and never again afterwards', async () => {
    const codes = await shown()
    expect(await shown()).toEqual(codes)
    expect(await rows()).toEqual([])
    await expect(enrolment().finish(holder, {})).rejects.toThrow(
      expect.objectContaining({ code: 'recovery-codes.not_saved', field: 'saved' }),
    )
    expect(await shown()).toEqual(codes)
    expect(await enrolment().finish(holder, { saved: 'yes' })).toBeUndefined()
    expect((await shown()).some((code) => codes.includes(code))).toBe(false)
    await give(codes[0])
  })

  it('ends the earlier ones once the new ones are saved, and not before', async () => {
    const [first = '', second = '', ...rest] = await house.makeCodes(holder)
    const later = await shown()
    await give(first)
    await enrolment().finish(holder, { saved: 'yes' })
    for (const code of [first, second, ...rest]) await expect(give(code)).rejects.toThrow(wrong)
    for (const code of later) await give(code)
  })

  it('leaves one set where two are saved at the same time, in two processes', async () => {
    const other = await house.openAnother()
    const holders = Array.from({ length: 6 }, (_, index) => house.holder(anna, { id: `tab ${index}` }))
    const sets: (readonly string[])[] = []
    for (const each of holders) sets.push(await shown(each))
    const counts = await tally(
      holders.map((each, index) =>
        enrolmentOf((index % 2 === 0 ? house : other).recoveryCodes).finish(each, { saved: 'yes' }),
      ),
    )
    // Whoever comes first ends what the others have under way.
    const { success = 0, 'recovery-codes.enrolment_over': ended = 0, ...rest } = counts
    expect([success + ended, rest]).toEqual([6, {}])
    expect(success).toBeGreaterThan(0)
    const stored = new Set((await rows()).map(({ hash }) => hash))
    expect(stored.size).toBe(10)
    const whole = sets.filter((set) => set.every((code) => stored.has(hashSecret(code.replaceAll('-', '')))))
    expect(whole).toHaveLength(1)
  })

  it('is done once where the form is sent twice', async () => {
    await shown()
    const twice = [1, 2].map(() => enrolment().finish(holder, { saved: 'yes' }))
    expect(await tally(twice)).toEqual({ success: 1, 'recovery-codes.enrolment_over': 1 })
  })

  it('is not done with codes that were shown to somebody else, too long ago, or never', async () => {
    await expect(enrolment().finish(holder, { saved: 'yes' })).rejects.toThrow(over)
    const codes = await shown()
    const bert = await house.person({ username: 'bert' })
    await expect(enrolment().finish(house.holder(bert), { saved: 'yes' })).rejects.toThrow(over)
    expect(await shown({ ...house.holder(bert), id: holder.id })).not.toEqual(codes)
    await shown()
    house.clock.advance(3_601)
    await expect(enrolment().finish(holder, { saved: 'yes' })).rejects.toThrow(over)
    expect(await rows()).toEqual([])
  })

  it('is told to the owner and signs him out elsewhere', async () => {
    await house.makeCodes(holder)
    expect(house.mails).toMatchObject([
      { to: 'anna@example.com', text: { key: 'notice.recovery-codes-made' } },
    ])
    expect(house.ended).toEqual([{ userId: anna.id, keep: holder.keep }])
  })
})
