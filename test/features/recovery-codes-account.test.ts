import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Holder, Panel, Proof, ProvenAttempt } from '../../src/features/feature.ts'
import type { User } from '../../src/features/users/index.ts'
import { openSecondFactors, type SecondFactors } from '../support/second-factors.ts'

const fails = (code: string, status: number) => expect.objectContaining({ code, status })
const wrong = fails('recovery-codes.wrong_code', 401)
const _over = fails('recovery-codes.enrolment_over', 410)
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
const _rows = () => house.storage.db.recoveryCode.findMany()

describe('the warning about recovery codes', () => {
  const proof = (factor: string): Proof => ({ factor, userId: anna.id, amr: [], at: house.clock.now() })
  const proven = (...factors: string[]): ProvenAttempt => ({
    ...house.attemptOf(anna),
    userId: anna.id,
    proofs: factors.map(proof),
    holder,
    able: [],
    provenAnew: true,
  })
  const interlude = () => house.recoveryCodes.interlude
  const use = async (codes: readonly string[]) => {
    for (const code of codes) await give(code)
  }

  it('comes after one was used, and while three or fewer are left', async () => {
    expect(await interlude().due(proven('password'))).toBe(false)
    const codes = await house.makeCodes(holder)
    expect(await interlude().due(proven('password', 'totp'))).toBe(false)
    expect(await interlude().due(proven('password', 'recovery-code'))).toBe(true)
    await use(codes.slice(0, 6))
    expect(await interlude().due(proven('password', 'totp'))).toBe(false)
    await use(codes.slice(6, 7))
    expect(await interlude().due(proven('password', 'totp'))).toBe(true)
    await use(codes.slice(7))
    expect(await interlude().due(proven('password', 'totp'))).toBe(true)
    expect(interlude()).toMatchObject({ name: 'recovery-codes', order: 50 })
  })

  it('shows codes only to who has proven something in this sign-in', async () => {
    await use((await house.makeCodes(holder)).slice(1))
    expect(await interlude().due(proven())).toBe(false)
    const before = { ...proven('session'), proofs: [proof('session')] }
    house.clock.advance(600)
    expect(await interlude().due(before)).toBe(false)
    await expect(interlude().finish(before, { choice: 'replace', saved: 'yes' })).rejects.toThrow(
      fails('recovery-codes.choice_missing', 400),
    )
    await interlude().show(proven('password'))
    await expect(interlude().finish(proven(), { choice: 'replace', saved: 'yes' })).rejects.toThrow(
      fails('recovery-codes.choice_missing', 400),
    )
  })

  it('offers new ones that count once they are saved', async () => {
    const [first] = await house.makeCodes(holder)
    const { model } = await interlude().show(proven('recovery-code'))
    expect(model).toMatchObject({ left: 10, used: true })
    await expect(interlude().finish(proven('recovery-code'), { choice: 'replace' })).rejects.toThrow(
      fails('recovery-codes.not_saved', 400),
    )
    await interlude().finish(proven('recovery-code'), { choice: 'replace', saved: 'yes' })
    await expect(give(first)).rejects.toThrow(wrong)
    await give((model.codes as string[])[0])
  })

  it('can be passed by, and by nothing but a choice', async () => {
    const [first] = await house.makeCodes(holder)
    await interlude().show(proven('recovery-code'))
    for (const input of [{}, { choice: '' }, { saved: 'yes' }])
      await expect(interlude().finish(proven('recovery-code'), input)).rejects.toThrow(
        fails('recovery-codes.choice_missing', 400),
      )
    await interlude().finish(proven('recovery-code'), { choice: 'later' })
    await give(first)
  })
})

describe('recovery codes on the account', () => {
  const panel = (): Panel => {
    const [only] = house.recoveryCodes.panels
    if (only === undefined) throw new Error('There is no panel.')
    return only
  }

  it('are counted', async () => {
    expect((await panel().show(house.visit(anna)))?.model).toMatchObject({ total: 0, left: 0 })
    const codes = await house.makeCodes(holder)
    await give(codes[0])
    expect((await panel().show(house.visit(anna)))?.model).toEqual({
      total: 10,
      left: 9,
      few: false,
      createdAt: house.clock.now(),
    })
  })

  it('are made by who has proven who he is a moment ago', async () => {
    const make = panel().pages?.make
    if (make === undefined) throw new Error('There is no page.')
    expect([make.fresh, panel().acts?.make?.fresh]).toEqual([true, true])
    const view = await make.show(house.visit(anna), {})
    const notice = await panel().acts?.make?.run(house.visit(anna), { _csrf: 'x', saved: 'yes' })
    expect(notice).toEqual({ notice: { key: 'recovery-codes.made' } })
    await give((view.model.codes as string[])[0])
  })

  it('are in the copy of a person’s data by date alone', async () => {
    const codes = await house.makeCodes(holder)
    await give(codes[0])
    const copy = (await house.recoveryCodes.export?.(anna.id)) as object[]
    expect(copy).toHaveLength(10)
    for (const each of copy) expect(Object.keys(each).sort()).toEqual(['createdAt', 'usedAt'])
  })

  it('are ended by command, which the owner is told', async () => {
    const codes = await house.makeCodes(holder)
    await give(codes[0])
    house.mails.length = 0
    const [remove] = house.recoveryCodes.commands ?? []
    expect(remove?.words).toEqual(['recovery-codes', 'remove'])
    expect((await remove?.run({ user: 'anna@example.com' }))?.json).toEqual({ removed: 9 })
    expect(house.mails).toMatchObject([{ text: { key: 'notice.recovery-codes-removed' } }])
    await expect(give(codes[1])).rejects.toThrow(wrong)
    expect((await remove?.run({ user: anna.id }))?.json).toEqual({ removed: 0 })
    expect(house.mails).toHaveLength(1)
    await expect(remove?.run({ user: 'nobody' })).rejects.toThrow(fails('users.not_found', 404))
  })
})
