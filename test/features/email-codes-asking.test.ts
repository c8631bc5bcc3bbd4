import { describe, expect, it } from 'vitest'
import { type EmailCodes, fails, openEmailCodes, otherThan } from '../support/email-codes.ts'

describe('codes by e-mail that somebody else asks for', () => {
  const from = (address: string) => ({ requestId: 'r', address, userAgent: '' })
  const asker = (codes: EmailCodes, id: string, address: string) =>
    codes.attempt(id, { device: `device of ${id}`, request: from(address) })
  const mailed = async (codes: EmailCodes, to: string | null) =>
    (await codes.latchkey.mails()).filter((mail) => mail.to === to).length
  const tooMany = fails('throttle.too_many_attempts', 429)

  it('are counted by who asks, and so take none from the owner elsewhere', async () => {
    await using codes = await openEmailCodes()
    const { email } = await codes.person()
    const ask = (id: string, address: string) =>
      codes.start(asker(codes, id, address), { identifier: email ?? '' })
    for (let time = 0; time < 5; time += 1) await ask(`stranger ${time}`, '203.0.113.9')
    for (let time = 5; time < 20; time += 1)
      await expect(ask(`stranger ${time}`, '203.0.113.9')).rejects.toThrow(tooMany)
    // Nor does another address of the same network help.
    for (let time = 20; time < 25; time += 1) await ask(`stranger ${time}`, `2001:db8:1:2::${time}`)
    await expect(ask('stranger 25', '2001:db8:1:2::25')).rejects.toThrow(tooMany)
    await ask('owner', '198.51.100.7')
    expect(await mailed(codes, email)).toBe(11)
  })

  it('use up neither what goes to a known device nor the way to another password', async () => {
    await using codes = await openEmailCodes({ LATCHKEY_MAIL_ADDRESS_PER_HOUR: '10' })
    const { email } = await codes.person()
    const identifier = email ?? ''
    const own = (id: string) => codes.attempt(id, { device: 'own device' })
    await codes.start(own('before'), { identifier })
    await codes.factor.finish(own('before'), { code: await codes.code() })
    for (let time = 0; time < 30; time += 1)
      await codes.start(asker(codes, `s${time}`, `203.0.113.${time}`), { identifier })
    expect(await mailed(codes, email)).toBe(10)
    await codes.start(own('after'), { identifier })
    expect(await mailed(codes, email)).toBe(11)
    await codes.factor.finish(own('after'), { code: await codes.code() })
    const { passwords } = codes.latchkey.app.features.passwords
    await passwords.requestReset({ identifier, request: from('198.51.100.1'), locale: 'en' })
    expect(await mailed(codes, email)).toBe(12)
    const { db } = codes.latchkey.app.storage
    expect(await db.auditEvent.count({ where: { action: 'mail.capped' } })).toBe(1)
  })

  it('count no more than attempts that succeed once they have served', async () => {
    await using codes = await openEmailCodes()
    const { email } = await codes.person()
    for (let time = 0; time < 12; time += 1) {
      const one = asker(codes, `one ${time}`, '198.51.100.7')
      await codes.start(one, { identifier: email ?? '' })
      await codes.factor.finish(one, { code: await codes.code() })
    }
  })

  it.each([
    ['as the second factor', 'second'],
    ['beside the password, as the first one', 'either'],
  ])('%s are not guessed at without end by who has the password', async (_name, use) => {
    await using codes = await openEmailCodes({ LATCHKEY_EMAIL_CODES_USE: use })
    const { id, email } = await codes.person()
    const { app } = codes.latchkey
    const { passwords, factor } = app.features.passwords
    const password = 'a brand new engine 1845'
    const hash = await passwords.prepare(password, {})
    await app.storage.transaction((db) => passwords.set(db, id, hash))
    const outcomes: string[] = []
    for (let round = 0; round < 8; round += 1) {
      const base = asker(codes, `thief ${round}`, '203.0.113.9')
      const proof = await factor.finish(base, { identifier: email, password })
      // A browser in which the password was proven, and a sign-in that goes on from it or begins anew there.
      const own =
        use === 'second' ? { ...base, userId: id, proofs: [proof] } : { ...base, id: `anew ${round}` }
      await codes.start(own, use === 'second' ? {} : { identifier: email })
      for (let time = 0; time < 5; time += 1)
        await codes.factor
          .finish(own, { code: otherThan(await codes.code()) })
          .catch((error) => void outcomes.push(error.code))
    }
    expect(outcomes.filter((code) => code === 'email-codes.wrong_code').length).toBeLessThanOrEqual(5)
    expect(outcomes).toContain('throttle.too_many_attempts')
  })
})
