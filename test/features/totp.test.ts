import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { User } from '../../src/features/users/index.ts'
import { attempt, change, request, tally } from '../support/people.ts'
import { codeOf, openSecondFactors, type SecondFactors } from '../support/second-factors.ts'

const fails = (code: string, status: number) => expect.objectContaining({ code, status })
const wrong = fails('totp.wrong_code', 401)
const used = fails('totp.code_used', 401)
const patient = { accountFailures: 10_000, deviceFailures: 10_000, addressFailures: 10_000 }

describe('a code of an authenticator app', () => {
  let house: SecondFactors
  let anna: User
  let key: string
  beforeEach(async () => {
    house = await openSecondFactors(patient)
    anna = await house.person({ email: 'anna@example.com' })
    key = await house.addApp(house.holder(anna))
  })
  afterEach(() => house[Symbol.asyncDispose]())

  const now = () => house.clock.now()
  const give = (code: unknown, of: User = anna) => house.totp.factor.finish(house.attemptOf(of), { code })
  /** One that is right for none of the steps that are accepted. */
  const wrongCode = (): string => {
    const right = [-1, 0, 1].map((steps) => codeOf(key, now(), steps))
    return ['000000', '111111', '222222', '333333'].find((code) => !right.includes(code)) ?? ''
  }

  it('proves a second factor', async () => {
    expect(await give(codeOf(key, now()))).toMatchObject({
      factor: 'totp',
      userId: anna.id,
      amr: ['otp'],
      at: now(),
    })
    expect(house.totp.factor).toMatchObject({ name: 'totp', offers: 'second', order: 10 })
    expect(await house.totp.factor.enrolled(anna.id)).toBe(true)
  })

  it('is accepted one step early and one step late, and no further', async () => {
    await expect(give(codeOf(key, now(), -2))).rejects.toThrow(wrong)
    await expect(give(codeOf(key, now(), 2))).rejects.toThrow(wrong)
    await give(codeOf(key, now(), -1))
    await give(codeOf(key, now(), 1))
  })

  it.each([
    ['blanks', (code: string) => ` ${code.slice(0, 3)} ${code.slice(3)}\n`],
    ['a dash and a no-break space', (code: string) => `${code.slice(0, 3)}-${code.slice(3)}\u00a0`],
    ['full-width digits', (code: string) => mapped(code, 0xff10)],
    ['Arabic digits', (code: string) => mapped(code, 0x0660)],
    ['Persian digits between marks of direction', (code: string) => `\u200f${mapped(code, 0x06f0)}\u200e`],
    ['Devanagari digits', (code: string) => mapped(code, 0x0966)],
    ['bold digits of mathematics', (code: string) => mapped(code, 0x1d7ce)],
  ])('may be typed with %s', async (_, write) => {
    await give(write(codeOf(key, now())))
  })

  it('is accepted once within its window', async () => {
    const code = codeOf(key, now())
    await give(code)
    await expect(give(code)).rejects.toThrow(used)
    house.clock.advance(29)
    await expect(give(code)).rejects.toThrow(used)
  })

  it('is refused once a later one was accepted', async () => {
    const [before, at, later] = [-1, 0, 1].map((steps) => codeOf(key, now(), steps))
    await give(later)
    for (const code of [before, at, later]) await expect(give(code)).rejects.toThrow(used)
    house.clock.advance(60)
    await give(codeOf(key, now()))
  })

  it('that confirmed the app does not sign in as well', async () => {
    const holder = house.holder(anna, { id: 'another tab' })
    const other = await house.keyShownTo(holder)
    const code = codeOf(other, now())
    await house.totp.factor.enrolment?.finish(holder, { code, name: 'Tablet' })
    await expect(give(code)).rejects.toThrow(used)
  })

  it('counts for exactly one of twenty at the same time, in two processes', async () => {
    const other = await house.openAnother()
    const input = { code: codeOf(key, now()) }
    const counts = await tally(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? house : other).totp.factor.finish(house.attemptOf(anna), input),
      ),
    )
    expect(counts).toEqual({ success: 1, 'totp.code_used': 19 })
  })

  it('counts for the app that shows it, where there are several', async () => {
    const second = await house.addApp(house.holder(anna), 'Tablet')
    await give(codeOf(second, now()))
    await give(codeOf(key, now()))
    await expect(give(codeOf(second, now()))).rejects.toThrow(used)
    const uses = await house.storage.db.totpAuthenticator.findMany({
      select: { name: true, lastUsedAt: true },
    })
    expect(uses).toEqual(
      expect.arrayContaining([
        { name: 'Phone', lastUsedAt: now() },
        { name: 'Tablet', lastUsedAt: now() },
      ]),
    )
  })

  it('of somebody else proves nothing', async () => {
    const bert = await house.person({ username: 'bert' })
    await house.addApp(house.holder(bert))
    await expect(give(codeOf(key, now()), bert)).rejects.toThrow(wrong)
    const carla = await house.person({ username: 'carla' })
    await expect(give(codeOf(key, now()), carla)).rejects.toThrow(wrong)
    expect(await house.totp.factor.enrolled(carla.id)).toBe(false)
  })

  it('proves nothing before somebody has said who he is', async () => {
    const input = { code: codeOf(key, now()) }
    await expect(house.totp.factor.finish(attempt(), input)).rejects.toThrow(fails('totp.nobody_yet', 400))
  })

  it('proves nothing for a user who is disabled', async () => {
    await house.users.disable(anna.id, change)
    await expect(give(codeOf(key, now()))).rejects.toThrow(used)
  })

  it('is asked for where a form comes empty or malformed, which is no guess', async () => {
    const missing = expect.objectContaining({ code: 'totp.code_missing', status: 400, field: 'code' })
    const malformed = expect.objectContaining({ code: 'totp.code_malformed', status: 400, field: 'code' })
    await expect(house.totp.factor.finish(house.attemptOf(anna), {})).rejects.toThrow(missing)
    for (const code of ['', '  ']) await expect(give(code)).rejects.toThrow(missing)
    for (const code of [
      '12345',
      '1234567',
      '12345\0',
      '12e456',
      '-12345',
      '0x1234',
      '१२३',
      '½½½½½½',
      '9'.repeat(10_000),
    ])
      await expect(give(code)).rejects.toThrow(malformed)
    for (const input of [
      null,
      'code',
      { code: 123_456 },
      { code: { gt: '' } },
      { code: '123456', userId: 'x' },
    ])
      await expect(house.totp.factor.finish(house.attemptOf(anna), input)).rejects.toThrow(
        fails('totp.invalid_input', 400),
      )
    expect(await house.storage.db.throttleCounter.count()).toBe(0)
  })

  it('is not accepted by a key that was copied to another person, nor to another row', async () => {
    const bert = await house.person({ username: 'bert' })
    const row = await house.storage.db.totpAuthenticator.findFirstOrThrow({ where: { userId: anna.id } })
    await house.storage.db.totpAuthenticator.create({
      data: { ...row, id: 'copied', userId: bert.id, lastStep: 0 },
    })
    await expect(give(codeOf(key, now()), bert)).rejects.toThrow(fails('sealing.unreadable', 500))
    // A copy of his own would make steps count once more.
    await house.storage.db.totpAuthenticator.update({ where: { id: 'copied' }, data: { userId: anna.id } })
    await expect(give(codeOf(key, now()))).rejects.toThrow(fails('sealing.unreadable', 500))
    await house.storage.db.totpAuthenticator.deleteMany({ where: { id: 'copied' } })
    await house.storage.db.totpAuthenticator.update({ where: { id: row.id }, data: { userId: bert.id } })
    await expect(give(codeOf(key, now()), bert)).rejects.toThrow(fails('sealing.unreadable', 500))
  })

  it('and its key are in no table and no record', async () => {
    const code = codeOf(key, now())
    await give(code)
    await expect(give(wrongCode())).rejects.toThrow(wrong)
    const stored = JSON.stringify([
      await house.storage.db.totpAuthenticator.findMany(),
      await house.storage.db.auditEvent.findMany(),
      await house.storage.db.challenge.findMany(),
      await house.storage.db.throttleCounter.findMany({ select: { key: true } }),
      house.mails,
    ])
    expect(stored).not.toContain(key)
    expect(stored).not.toMatch(new RegExp(`\\b${code}\\b`))
    const actions = await house.storage.db.auditEvent.findMany({ select: { action: true, outcome: true } })
    expect(actions).toEqual(
      expect.arrayContaining([
        { action: 'totp.added', outcome: 'success' },
        { action: 'totp.proved', outcome: 'success' },
        { action: 'totp.refused', outcome: 'failure' },
      ]),
    )
  })

  it('is not accepted any more once its app is removed', async () => {
    await house.storage.db.totpAuthenticator.deleteMany()
    await expect(give(codeOf(key, now()))).rejects.toThrow(wrong)
  })
})

describe('guessing codes', () => {
  let house: SecondFactors
  let anna: User
  let key: string
  beforeEach(async () => {
    house = await openSecondFactors()
    anna = await house.person({ email: 'anna@example.com' })
    key = await house.addApp(house.holder(anna))
  })
  afterEach(() => house[Symbol.asyncDispose]())

  const give = (code: string, address: string, device?: string) =>
    house.totp.factor.finish(
      house.attemptOf(anna, { request: { ...request, address }, ...(device && { device }) }),
      { code },
    )
  const right = () => codeOf(key, house.clock.now())
  const wrongCodes = () => {
    const accepted = [-1, 0, 1].map((steps) => codeOf(key, house.clock.now(), steps))
    return Array.from({ length: 50 }, (_, index) => String(index).padStart(6, '7')).filter(
      (code) => !accepted.includes(code),
    )
  }
  const tooMany = fails('throttle.too_many_attempts', 429)

  it('must wait after a few, from however many addresses', async () => {
    const codes = wrongCodes()
    const guesses = Array.from({ length: 40 }, (_, index) => give(codes[index] ?? '', `198.51.100.${index}`))
    expect(await tally(guesses)).toEqual({ 'totp.wrong_code': 5, 'throttle.too_many_attempts': 35 })
    await expect(give(right(), '203.0.113.7')).rejects.toThrow(tooMany)
  })

  it('must wait in every browser in which only the password was proven', async () => {
    for (const [index, code] of wrongCodes().slice(0, 5).entries()) {
      const device = `stolen password ${index}`
      const admission = await house.throttle.admit({
        account: 'anna@example.com',
        userId: anna.id,
        device,
        address: '198.51.100.1',
      })
      await admission.succeeded(anna.id)
      await expect(give(code, '198.51.100.1', device)).rejects.toThrow(fails('totp.wrong_code', 401))
    }
    const device = 'stolen password 5'
    const admission = await house.throttle.admit({
      account: 'anna@example.com',
      userId: anna.id,
      device,
      address: '198.51.100.1',
    })
    await admission.succeeded(anna.id)
    await expect(give(right(), '198.51.100.1', device)).rejects.toThrow(tooMany)
  })

  it('does not lock the owner out of a browser in which he has given a code before', async () => {
    await give(right(), '192.0.2.9', 'her own browser')
    house.clock.advance(60)
    for (const code of wrongCodes().slice(0, 5)) await give(code, '198.51.100.1').catch(() => undefined)
    await expect(give(right(), '192.0.2.9', 'another browser')).rejects.toThrow(tooMany)
    await give(right(), '192.0.2.9', 'her own browser')
  })

  it('goes by the new identifier of a browser that got one', async () => {
    await give(right(), '192.0.2.9', 'her own browser')
    house.clock.advance(60)
    await house.storage.transaction((db) =>
      house.throttle.deviceRenamed(db, 'her own browser', 'the same one'),
    )
    for (const code of wrongCodes().slice(0, 5)) await give(code, '198.51.100.1').catch(() => undefined)
    await expect(give(right(), '192.0.2.9', 'her own browser')).rejects.toThrow(tooMany)
    await give(right(), '192.0.2.9', 'the same one')
  })

  it('is forgiven once a right one was given', async () => {
    for (const code of wrongCodes().slice(0, 4)) await give(code, '192.0.2.9').catch(() => undefined)
    await give(right(), '192.0.2.9')
    for (const code of wrongCodes().slice(0, 4))
      await expect(give(code, '192.0.2.9')).rejects.toThrow(fails('totp.wrong_code', 401))
  })
})

const mapped = (code: string, zero: number): string =>
  [...code].map((digit) => String.fromCodePoint(zero + Number(digit))).join('')
