import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { change, type EmailCodes, openEmailCodes } from '../support/email-codes.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { tally } from '../support/people.ts'

describe('codes by e-mail for an account that does not exist', () => {
  let codes: EmailCodes
  beforeAll(async () => {
    codes = await openEmailCodes()
    // What follows an answer is not to mix with it: only what waits for it is counted.
    await codes.latchkey.app.features.outbox.worker.stop(0)
  })
  afterAll(() => codes[Symbol.asyncDispose]())
  beforeEach(() => codes.next())

  const rows = async () => {
    const { db } = codes.latchkey.app.storage
    return {
      outbox: await db.outboxMessage.count(),
      challenges: await db.challenge.count(),
      audit: await db.auditEvent.count(),
      throttle: await db.throttleCounter.count(),
    }
  }
  const delta = async (work: () => Promise<unknown>) => {
    const before = await rows()
    const outcome = await work()
    const later = await rows()
    const written = Object.fromEntries(
      Object.entries(later).map(([key, value]) => [key, value - before[key as keyof typeof before]]),
    )
    return { outcome, written }
  }

  it.each([
    'nobody@example.test',
    'nobody',
    'no body at all',
    'nobody@',
    '\0',
    'ada\r\nBcc: eve@example.test',
  ])('do and show what they do for one that does: %j', async (identifier) => {
    const { email } = await codes.person()
    const told = async (name: string, typed: string) => {
      const address = name === 'known' ? '192.0.2.10' : '192.0.2.11'
      const one = codes.attempt(name, { request: { requestId: 'r', address, userAgent: '' } })
      const asked = await delta(() => Promise.resolve(codes.start(one, { identifier: typed })))
      const shown = await codes.factor.show?.(one)
      const refused = await delta(async () => await tally([codes.factor.finish(one, { code: '0000 0000' })]))
      const again = await tally([Promise.resolve(codes.start(one, {}))])
      return JSON.stringify({ asked, shown, refused, again }).replaceAll(JSON.stringify(typed.trim()), '"…"')
    }
    const known = await told('known', email ?? '')
    expect(await told('unknown', identifier)).toBe(known)
    expect(known).toContain('"outbox":1')
    expect(known).toContain('"email-codes.wrong_code":1')
  })
})

describe('codes by e-mail', () => {
  it('go to nobody unknown, disabled or without an address', async () => {
    await using codes = await openEmailCodes()
    const { id } = await codes.person()
    await codes.users.disable(id, change)
    await codes.users.create({ username: `without${codes.own('')}` }, change)
    const before = (await codes.latchkey.mails()).length
    for (const identifier of [codes.own('ada'), `without${codes.own('')}`, 'nobody@example.test'])
      await codes.start(codes.attempt(`to ${identifier}`), { identifier })
    expect((await codes.latchkey.mails()).length).toBe(before)
  })
})

describe('the setting of codes by e-mail', () => {
  it.each([
    ['off', undefined],
    ['first', 'first'],
    ['second', 'second'],
  ])('offers them as %s', async (use, offers) => {
    await using latchkey = await startLatchkey({ environment: { LATCHKEY_EMAIL_CODES_USE: use } })
    const { factor } = latchkey.app.features.emailCodes
    expect(factor?.offers).toBe(offers)
    expect(factor?.first === undefined).toBe(use !== 'first')
  })

  it('offers them nowhere while no mail can be sent', async () => {
    await using latchkey = await startLatchkey({
      environment: { LATCHKEY_EMAIL_CODES_USE: 'either', LATCHKEY_ISSUER: 'https://id.example.test' },
    })
    expect(latchkey.app.features.emailCodes.factor).toBeUndefined()
  })
})
