import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Holder } from '../../src/features/feature.ts'
import type { User } from '../../src/features/users/index.ts'
import { tally } from '../support/people.ts'
import { codeOf, enrolmentOf, openSecondFactors, type SecondFactors } from '../support/second-factors.ts'

const fails = (code: string, status: number) => expect.objectContaining({ code, status })
const over = fails('totp.enrolment_over', 410)
const wrong = fails('totp.wrong_code', 401)

describe('adding an authenticator app', () => {
  let house: SecondFactors
  let anna: User
  let holder: Holder
  beforeEach(async () => {
    house = await openSecondFactors()
    anna = await house.person({ email: 'anna@example.com' })
    holder = house.holder(anna)
  })
  afterEach(() => house[Symbol.asyncDispose]())

  const begin = async (by = holder) => (await enrolmentOf(house.totp).begin(by)).model
  const finish = (input: unknown, by = holder) => enrolmentOf(house.totp).finish(by, input)
  const rows = () => house.storage.db.totpAuthenticator.findMany()
  const codeNow = (key: string) => codeOf(key, house.clock.now())

  it('shows a key of 160 bits as a picture, as text and as an address', async () => {
    const { uri, groups, qr, number } = await begin()
    const key = (groups as string[]).join('')
    expect(key).toMatch(/^[A-Z2-7]{32}$/)
    const address = new URL(String(uri))
    expect(address.protocol).toBe('otpauth:')
    expect(decodeURIComponent(address.pathname)).toBe('/Latchkey:anna@example.com')
    expect(address.searchParams.get('secret')).toBe(key)
    expect(address.searchParams.get('issuer')).toBe('Latchkey')
    expect(qr).toMatchObject({ size: expect.any(Number), path: expect.stringMatching(/^[Mmh\d .]+$/) })
    expect(number).toBe(1)
  })

  it('shows another key to everybody and every time', async () => {
    const keys = [await house.keyShownTo(holder)]
    keys.push(await house.keyShownTo(house.holder(anna, { id: 'another session' })))
    await finish({ code: codeNow(keys[0] ?? ''), name: 'Phone' })
    keys.push(await house.keyShownTo(holder))
    expect(new Set(keys).size).toBe(3)
  })

  it('draws names of any length and script', async () => {
    const name = '\u{1f511}:&?#/"<>\u0000é名'.repeat(60)
    const { uri, qr } = await begin(house.holder(anna, { user: { id: anna.id, name } }))
    expect(String(uri)).toMatch(/^otpauth:\/\/totp\/[\w%.:@*-]+\?[\w%.&=+-]+$/)
    expect(qr).toBeDefined()
  })

  it('counts once a code was given, and that is a proof', async () => {
    const key = await house.keyShownTo(holder)
    expect(await house.totp.factor.enrolled(anna.id)).toBe(false)
    expect(await finish({ code: codeNow(key), name: ' My phone ' })).toEqual({
      factor: 'totp',
      userId: anna.id,
      amr: ['otp'],
      at: house.clock.now(),
    })
    expect(await rows()).toMatchObject([{ userId: anna.id, name: 'My phone', lastUsedAt: null }])
  })

  it('shows the same key after a wrong code and after a reload, until its time is over', async () => {
    const key = await house.keyShownTo(holder)
    const wrongCode = codeOf(key, house.clock.now(), 5)
    await expect(finish({ code: wrongCode, name: 'Phone' })).rejects.toThrow(wrong)
    expect(await house.keyShownTo(holder)).toBe(key)
    house.clock.advance(3_601)
    await expect(finish({ code: codeNow(key), name: 'Phone' })).rejects.toThrow(over)
    expect(await house.keyShownTo(holder)).not.toBe(key)
    expect(await rows()).toEqual([])
  })

  it('takes only so many wrong codes for one key', async () => {
    const key = await house.keyShownTo(holder)
    const wrongCode = codeOf(key, house.clock.now(), 5)
    const answers = Array.from({ length: 30 }, () => finish({ code: wrongCode, name: 'Phone' }))
    expect(await tally(answers)).toEqual({ 'totp.wrong_code': 20, 'totp.enrolment_over': 10 })
    await expect(finish({ code: codeNow(key), name: 'Phone' })).rejects.toThrow(over)
    expect(await house.keyShownTo(holder)).not.toBe(key)
  })

  it('adds one app where the form is sent twenty times at once, in two processes', async () => {
    const other = await house.openAnother()
    const key = await house.keyShownTo(holder)
    const input = { code: codeNow(key), name: 'Phone' }
    const counts = await tally(
      Array.from({ length: 20 }, (_, index) =>
        enrolmentOf((index % 2 === 0 ? house : other).totp).finish(holder, input),
      ),
    )
    expect(counts).toEqual({ success: 1, 'totp.enrolment_over': 19 })
    expect(await rows()).toHaveLength(1)
  })

  it('does not take the key that was shown to somebody else, or in another session', async () => {
    const key = await house.keyShownTo(holder)
    const bert = await house.person({ username: 'bert' })
    const input = { code: codeNow(key), name: 'Phone' }
    await expect(finish(input, house.holder(bert))).rejects.toThrow(over)
    await expect(finish(input, house.holder(anna, { id: 'another session' }))).rejects.toThrow(over)
    expect(await rows()).toEqual([])
    // The same sign-in, but somebody else is in it now.
    await expect(finish(input, { ...house.holder(bert), id: holder.id })).rejects.toThrow(over)
    expect(await rows()).toEqual([])
  })

  it('does not show a key of a person to who comes after him in the same sign-in', async () => {
    const key = await house.keyShownTo(holder)
    const bert = await house.person({ username: 'bert' })
    expect(await house.keyShownTo({ ...house.holder(bert), id: holder.id })).not.toBe(key)
  })

  it('cannot be finished before it was begun', async () => {
    await expect(finish({ code: '123456', name: 'Phone' })).rejects.toThrow(over)
  })

  it('asks for a code and a name, beside their fields', async () => {
    const key = await house.keyShownTo(holder)
    const code = codeNow(key)
    const refused = (field: string, error: string) =>
      expect.objectContaining({ code: error, status: 400, field })
    await expect(finish({})).rejects.toThrow(refused('code', 'totp.code_missing'))
    await expect(finish({ code: '12\u00003456', name: 'Phone' })).rejects.toThrow(
      refused('code', 'totp.code_malformed'),
    )
    await expect(finish({ code })).rejects.toThrow(refused('name', 'totp.name_missing'))
    for (const name of ['a'.repeat(61), 'Pho\0ne', 'Pho\nne', 'Pho\u202ene', 'Pho\ud800ne', 'Pho\u200bne'])
      await expect(finish({ code, name })).rejects.toThrow(refused('name', 'totp.name_invalid'))
    for (const input of [undefined, [], { code, name: 1 }, { code, name: 'Phone', userId: 'x' }])
      await expect(finish(input)).rejects.toThrow(fails('totp.invalid_input', 400))
    await finish({ code, name: '📱 Téléphone 👩‍💻' })
  })

  it('is refused beyond ten apps, also at the same time in two processes', async () => {
    for (let count = 1; count <= 9; count += 1) await house.addApp(holder, `Phone ${count}`)
    const other = await house.openAnother()
    const holders = Array.from({ length: 6 }, (_, index) => house.holder(anna, { id: `tab ${index}` }))
    const keys: string[] = []
    for (const each of holders) keys.push(await house.keyShownTo(each))
    const counts = await tally(
      holders.map((each, index) =>
        enrolmentOf((index % 2 === 0 ? house : other).totp).finish(each, {
          code: codeNow(keys[index] ?? ''),
          name: 'One more',
        }),
      ),
    )
    // Whoever comes first ends what the others have under way.
    const { success, 'totp.too_many': tooMany = 0, 'totp.enrolment_over': ended = 0, ...rest } = counts
    expect([success, tooMany + ended, rest]).toEqual([1, 5, {}])
    expect(await rows()).toHaveLength(10)
    await expect(begin()).rejects.toThrow(fails('totp.too_many', 409))
  })

  it('tells the owner, signs him out elsewhere and is recorded', async () => {
    await house.addApp(holder, 'Work phone')
    expect(house.mails).toMatchObject([
      { to: 'anna@example.com', text: { key: 'notice.totp-added', params: { name: 'Work phone' } } },
    ])
    expect(house.ended).toEqual([{ userId: anna.id, keep: holder.keep }])
    const [row] = await rows()
    const event = await house.storage.db.auditEvent.findFirstOrThrow({ where: { action: 'totp.added' } })
    expect(JSON.stringify(event)).toContain(row?.id)
  })

  it('leaves nothing behind where the owner cannot be told', async () => {
    const key = await house.keyShownTo(holder)
    house.mails.push = () => {
      throw new Error('The outbox is gone.')
    }
    await expect(finish({ code: codeNow(key), name: 'Phone' })).rejects.toThrow('The outbox is gone.')
    expect(await rows()).toEqual([])
  })
})
