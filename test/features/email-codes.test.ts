import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { UserId } from '../../src/kernel/ids.ts'
import {
  change,
  type EmailCodes,
  ended,
  fails,
  openEmailCodes,
  otherThan,
  visit,
  wrong,
} from '../support/email-codes.ts'
import { tally } from '../support/people.ts'

describe('codes by e-mail', () => {
  let codes: EmailCodes
  beforeAll(async () => {
    codes = await openEmailCodes()
  })
  afterAll(() => codes[Symbol.asyncDispose]())
  beforeEach(() => codes.next())

  it('prove who somebody is, by the code of the mail, however it is typed', async () => {
    const { id, email } = await codes.person()
    const one = codes.attempt('one')
    await codes.start(one, { identifier: `  ADA${codes.own('')}@example.TEST ` })
    const mail = await codes.newest()
    expect(mail?.to).toBe(email)
    expect(mail?.code).toMatch(/^\d{4} \d{4}$/)
    expect(mail?.link).toMatch(/\/link\/email-code\?token=[\w-]{43}$/)
    const typed = `\u200a${(mail?.code ?? '').replace(' ', '-')}\n`
    expect(await codes.factor.finish(one, { code: typed })).toMatchObject({
      factor: 'email-code',
      userId: id,
      amr: ['otp'],
      at: codes.clock.now(),
    })
    await expect(codes.factor.finish(one, { code: mail?.code })).rejects.toThrow(ended)
  })

  it('understand the digits of Arabic and Persian keyboards', async () => {
    await codes.person()
    for (const zero of [0x0660, 0x06f0]) {
      const one = codes.attempt(`zero ${zero}`)
      await codes.start(one, { identifier: codes.own('ada') })
      const typed = (await codes.code()).replace(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)))
      expect((await codes.factor.finish(one, { code: typed })).factor).toBe('email-code')
    }
  })

  it('let exactly one of 20 parallel right codes in', async () => {
    await codes.person()
    const one = codes.attempt('one')
    await codes.start(one, { identifier: codes.own('ada') })
    const code = await codes.code()
    const counts = await tally(Array.from({ length: 20 }, () => codes.factor.finish(one, { code })))
    expect(counts.success).toBe(1)
    expect(Object.values(counts).reduce((sum, each) => sum + each)).toBe(20)
    await expect(codes.factor.finish(one, { code })).rejects.toThrow(ended)
  })

  it('end after five wrong answers, though the sixth is right, in parallel too', async () => {
    await codes.person()
    const one = codes.attempt('one')
    await codes.start(one, { identifier: codes.own('ada') })
    const code = await codes.code()
    const counts = await tally(
      Array.from({ length: 5 }, () => codes.factor.finish(one, { code: otherThan(code) })),
    )
    expect(counts).toEqual({ 'email-codes.wrong_code': 5 })
    codes.clock.advance(120)
    await expect(codes.factor.finish(one, { code })).rejects.toThrow(ended)
  })

  it('slow down whoever asks for one code after the other to guess at them', async () => {
    await codes.person()
    const wrongs = async (id: string) => {
      const one = codes.attempt(id)
      await codes.start(one, { identifier: codes.own('ada') })
      return await tally(Array.from({ length: 5 }, () => codes.factor.finish(one, { code: '0000 0000' })))
    }
    const counts = [await wrongs('one'), await wrongs('two')]
    expect(counts[1]).toEqual({ 'throttle.too_many_attempts': 5 })
  })

  it('leave the owner his allowance on a device he has used', async () => {
    const { id } = await codes.person()
    const own = { device: `known ${codes.own('')}` }
    const first = codes.attempt('first', own)
    await codes.start(first, { identifier: codes.own('ada') })
    await codes.factor.finish(first, { code: await codes.code() })
    const stranger = codes.attempt('stranger', {
      request: { requestId: 'r', address: '203.0.113.9', userAgent: '' },
    })
    await codes.start(stranger, { identifier: codes.own('ada') })
    await codes.code()
    await tally(Array.from({ length: 8 }, () => codes.factor.finish(stranger, { code: '0000 0000' })))
    const again = codes.attempt('again', own)
    await codes.start(again, { identifier: codes.own('ada') })
    expect((await codes.factor.finish(again, { code: await codes.code() })).userId).toBe(id)
  })

  it('work only in the sign-in that asked for them', async () => {
    await codes.person()
    const [one, two] = [codes.attempt('one'), codes.attempt('two')]
    await codes.start(one, { identifier: codes.own('ada') })
    const [code, token] = [await codes.code(), await codes.token()]
    for (const answer of [{ code }, { token }])
      await expect(codes.factor.finish(two, answer)).rejects.toThrow(ended)
    await codes.start(two, { identifier: codes.own('ada') })
    const another = await codes.code()
    await expect(codes.factor.finish(two, { code })).rejects.toThrow(wrong)
    await expect(codes.factor.finish(one, { code: another })).rejects.toThrow(wrong)
    await codes.factor.finish(one, { code })
    await codes.factor.finish(two, { code: another })
  })

  it('prove nothing where somebody else has meanwhile proven who he is', async () => {
    await codes.person()
    const one = codes.attempt('one')
    await codes.start(one, { identifier: codes.own('ada') })
    const other = { ...one, userId: 'somebody else' as UserId }
    await expect(codes.factor.finish(other, { code: await codes.code() })).rejects.toThrow(ended)
    expect(await codes.factor.show?.(other)).toBeUndefined()
  })

  it('end when the address changes, when they are ten minutes old, and when the person is disabled', async () => {
    const { id } = await codes.person()
    const asked = async (name: string) => {
      const one = codes.attempt(name)
      await codes.start(one, { identifier: codes.own('ada') })
      return { one, code: await codes.code() }
    }
    const old = await asked('old')
    codes.clock.advance(600)
    await expect(codes.factor.finish(old.one, { code: old.code })).rejects.toThrow(ended)
    const kept = await asked('kept')
    await codes.users.disable(id, change)
    await expect(codes.factor.finish(kept.one, { code: kept.code })).rejects.toThrow(ended)
    await codes.users.enable(id, change)
    const changed = await asked('changed')
    await codes.users.update(id, { email: `other${codes.own('')}@example.test` }, change)
    await expect(codes.factor.finish(changed.one, { code: changed.code })).rejects.toThrow(ended)
  })

  it('confirm the address that they reached', async () => {
    const { id } = await codes.person({ emailVerified: false })
    const one = codes.attempt('one')
    await codes.start(one, { identifier: codes.own('ada') })
    expect((await codes.users.get(id)).emailVerified).toBe(false)
    await codes.factor.finish(one, { code: await codes.code() })
    expect((await codes.users.get(id)).emailVerified).toBe(true)
  })

  it('go to nobody but the confirmed address of a person who is known already', async () => {
    const { id } = await codes.person()
    const stranger = await codes.users.create(
      { email: `eve${codes.own('')}@example.test`, emailVerified: true },
      change,
    )
    const one = codes.attempt('one', { userId: id })
    expect(await codes.factor.show?.(one)).toBeUndefined()
    await codes.start(one, { identifier: stranger.email, email: stranger.email })
    expect(await codes.newest(`eve${codes.own('')}@example.test`)).toBeUndefined()
    const shown = await codes.factor.show?.(one)
    expect(shown?.model.shown).toBe('a•••@example.test')
    expect((await codes.factor.finish(one, { code: await codes.code() })).userId).toBe(id)
    const unproven = await codes.users.create({ email: `u${codes.own('')}@example.test` }, change)
    expect(await codes.factor.enrolled(unproven.id)).toBe(false)
    expect(await codes.factor.enrolled(id)).toBe(true)
    await expect(codes.start(codes.attempt('two', { userId: unproven.id }), {})).rejects.toThrow(
      fails('email-codes.no_address', 409),
    )
  })

  it('are the newest alone, and tell how long to wait for another one', async () => {
    await codes.person()
    const one = codes.attempt('one')
    const mine = { identifier: codes.own('ada') }
    await codes.start(one, mine)
    const [code, token] = [await codes.code(), await codes.token()]
    // A double click asks for nothing new.
    await codes.start(one, mine)
    expect(await codes.code()).toBe(code)
    codes.clock.advance(20)
    await expect(codes.start(one, {})).rejects.toThrow(
      expect.objectContaining({
        code: 'email-codes.ask_too_soon',
        status: 429,
        retryAfterSeconds: 38,
        params: { seconds: 38 },
      }),
    )
    codes.clock.advance(40)
    await codes.start(one, {})
    const newer = await codes.code()
    expect(newer).not.toBe(code)
    await expect(codes.factor.finish(one, { code })).rejects.toThrow(wrong)
    await expect(codes.factor.finish(one, { token })).rejects.toThrow(wrong)
    await expect(codes.link.show(token, visit('device of one'))).rejects.toThrow(
      fails('email-codes.link_ended', 410),
    )
    await codes.factor.finish(one, { code: newer })
  })

  it('are sent six times for one sign-in and no more', async () => {
    await codes.person()
    const one = codes.attempt('one')
    await codes.start(one, { identifier: codes.own('ada') })
    for (let times = 1; times < 6; times += 1) {
      codes.clock.advance(60)
      await codes.start(one, {})
    }
    codes.clock.advance(60)
    await expect(codes.start(one, {})).rejects.toThrow(fails('email-codes.asked_too_often', 429))
    await expect(codes.start(one, { identifier: `somebody${codes.own('')}` })).rejects.toThrow(
      fails('email-codes.asked_too_often', 429),
    )
  })

  it.each([
    {},
    { code: '' },
    { code: '1234567' },
    { code: '123456789' },
    { code: '1234\u00005678' },
    { code: '١٢٣٤۵۶۷a' },
    { code: 12345678 },
    { code: ['12345678'] },
    { token: 'short' },
    { token: '\0'.repeat(43) },
    'a text',
    undefined,
  ])('take %j for no answer, which costs none of the five', async (input) => {
    await codes.person()
    const one = codes.attempt('one')
    await codes.start(one, { identifier: codes.own('ada') })
    for (let times = 0; times < 6; times += 1)
      await expect(codes.factor.finish(one, input)).rejects.toThrow(fails('email-codes.code_incomplete', 400))
    await codes.factor.finish(one, { code: await codes.code() })
  })

  it.each([
    {},
    { identifier: '' },
    { identifier: ' ' },
    { identifier: 'a'.repeat(321) },
    { identifier: ['ada'] },
    undefined,
  ])('are for nobody where %j is all that was said', async (input) => {
    await expect(codes.start(codes.attempt('one'), input as object)).rejects.toThrow(
      fails('email-codes.identifier_missing', 400),
    )
  })

  it('are stored so that the database alone gives none away', async () => {
    await codes.person()
    await codes.start(codes.attempt('one'), { identifier: codes.own('ada') })
    const { db } = codes.latchkey.app.storage
    const stored = JSON.stringify([
      await db.challenge.findMany(),
      await db.outboxMessage.findMany(),
      await db.auditEvent.findMany(),
    ])
    const [code, token] = [await codes.code(), await codes.token()]
    for (const secret of [code, code.replace(' ', ''), token]) expect(stored).not.toContain(secret)
    expect(codes.latchkey.logged.join('\n')).not.toContain(token)
  })

  it('leave a trace of asking, proving and failing', async () => {
    const { id } = await codes.person()
    const one = codes.attempt('one')
    await codes.start(one, { identifier: codes.own('ada') })
    const code = await codes.code()
    await tally([codes.factor.finish(one, { code: otherThan(code) })])
    await codes.factor.finish(one, { code })
    const events = await codes.latchkey.app.storage.db.auditEvent.findMany({ where: { userId: id } })
    const actions = events.map(({ action }) => action).filter((action) => action.startsWith('email-codes.'))
    expect(actions.toSorted()).toEqual(['email-codes.proved', 'email-codes.refused', 'email-codes.sent'])
  })

  it('are not sent once they have ended while the mail waited', async () => {
    await codes.person()
    const one = codes.attempt('one')
    await codes.start(one, { identifier: codes.own('ada') })
    codes.clock.advance(601)
    expect(await codes.newest()).toBeUndefined()
  })
})
