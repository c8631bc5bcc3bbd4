import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Panel } from '../../src/features/feature.ts'
import type { User } from '../../src/features/users/index.ts'
import { codeOf, openSecondFactors, type SecondFactors } from '../support/second-factors.ts'

const unknown = expect.objectContaining({ code: 'totp.unknown', status: 404 })

describe('authenticator apps on the account', () => {
  let house: SecondFactors
  let anna: User
  let bert: User
  beforeEach(async () => {
    house = await openSecondFactors()
    anna = await house.person({ email: 'anna@example.com' })
    bert = await house.person({ email: 'bert@example.com' })
  })
  afterEach(() => house[Symbol.asyncDispose]())

  const panel = (): Panel => {
    const [only] = house.totp.panels
    if (only === undefined) throw new Error('There is no panel.')
    return only
  }
  const run = (act: string, by: User, form: Readonly<Record<string, string>>) =>
    panel().acts?.[act]?.run(house.visit(by), form)
  const show = (page: string, by: User, query: Readonly<Record<string, string>> = {}) =>
    panel().pages?.[page]?.show(house.visit(by), query)
  const row = (user: User) =>
    house.storage.db.totpAuthenticator.findFirstOrThrow({ where: { userId: user.id } })

  it('are listed with their names and dates, and nothing else of them', async () => {
    await house.addApp(house.holder(anna), 'Phone')
    await house.addApp(house.holder(bert), 'Tablet')
    const view = await panel().show(house.visit(anna))
    expect(view?.model).toEqual({
      authenticators: [
        { id: expect.any(String), name: 'Phone', createdAt: expect.any(Date), lastUsedAt: null },
      ],
      full: false,
    })
  })

  it('are added and removed by who has proven who he is a moment ago', () => {
    const { pages, acts } = panel()
    expect([pages?.add?.fresh, pages?.remove?.fresh, acts?.add?.fresh, acts?.remove?.fresh]).toEqual(
      Array.from({ length: 4 }, () => true),
    )
  })

  it('lead to recovery codes, while there are none', async () => {
    const add = async () => {
      const key = await house.keyShownTo(house.holder(anna))
      const outcome = await run('add', anna, {
        _csrf: 'x',
        code: codeOf(key, house.clock.now()),
        name: 'Phone',
      })
      house.clock.advance(60)
      return outcome
    }
    expect(await add()).toEqual({
      to: '/account/security/recovery-codes/make',
      notice: { key: 'totp.added', params: { name: 'Phone' } },
    })
    await house.makeCodes(house.holder(anna))
    expect(await add()).toEqual({ notice: { key: 'totp.added', params: { name: 'Phone' } } })
  })

  it('are renamed by their owner alone', async () => {
    await house.addApp(house.holder(anna))
    const { id } = await row(anna)
    expect((await show('rename', anna, { id }))?.model).toMatchObject({ authenticator: { name: 'Phone' } })
    await run('rename', anna, { id, name: 'Old phone' })
    await expect(run('rename', bert, { id, name: 'Mine' })).rejects.toThrow(unknown)
    await expect(show('rename', bert, { id })).rejects.toThrow(unknown)
    for (const name of ['', 'a\0b'])
      await expect(run('rename', anna, { id, name })).rejects.toThrow(
        expect.objectContaining({ field: 'name' }),
      )
    expect((await row(anna)).name).toBe('Old phone')
  })

  it('are removed by their owner alone, who is told and signed out elsewhere', async () => {
    const key = await house.addApp(house.holder(anna), 'Phone')
    const { id } = await row(anna)
    house.mails.length = 0
    house.ended.length = 0
    await expect(run('remove', bert, { id })).rejects.toThrow(unknown)
    await expect(show('remove', bert, { id })).rejects.toThrow(unknown)
    expect([house.mails, house.ended]).toEqual([[], []])

    expect(await run('remove', anna, { id })).toEqual({
      notice: { key: 'totp.removed', params: { name: 'Phone' } },
    })
    expect(house.mails).toMatchObject([
      { to: 'anna@example.com', text: { key: 'notice.totp-removed', params: { name: 'Phone' } } },
    ])
    expect(house.ended).toEqual([{ userId: anna.id, keep: { sessionUid: 'this-session' } }])
    const input = { code: codeOf(key, house.clock.now()) }
    await expect(house.totp.factor.finish(house.attemptOf(anna), input)).rejects.toThrow(
      expect.objectContaining({ code: 'totp.wrong_code' }),
    )
    await expect(run('remove', anna, { id })).rejects.toThrow(unknown)
  })

  it('are not found by an empty or hostile form', async () => {
    await house.addApp(house.holder(anna))
    const forms: readonly Readonly<Record<string, string>>[] = [
      {},
      { id: '' },
      { id: '%' },
      { id: "' OR 1=1 --" },
      { id: 'a\0b' },
    ]
    for (const form of forms) {
      await expect(run('remove', anna, form)).rejects.toThrow(unknown)
      await expect(run('rename', anna, { ...form, name: 'Phone' })).rejects.toThrow(unknown)
    }
  })

  it('are in the copy of a person’s data by name and date alone', async () => {
    const key = await house.addApp(house.holder(anna), 'Phone')
    const copy = await house.totp.export?.(anna.id)
    expect(copy).toEqual([{ name: 'Phone', createdAt: expect.any(Date), lastUsedAt: null }])
    expect(JSON.stringify(copy)).not.toContain(key)
    expect(await house.totp.export?.(bert.id)).toEqual([])
  })

  describe('by command', () => {
    const command = (...words: string[]) => {
      const found = house.totp.commands?.find((each) => each.words.join(' ') === words.join(' '))
      if (found === undefined) throw new Error(`There is no ${words.join(' ')}.`)
      return found
    }

    it('are listed and removed, which the owner is told', async () => {
      await house.addApp(house.holder(anna), 'Phone')
      await house.addApp(house.holder(anna), 'Tablet')
      const [first] = (await command('totp', 'list').run({ user: 'anna@example.com' })).json as {
        id: string
      }[]
      house.mails.length = 0
      house.ended.length = 0
      await command('totp', 'remove').run({ user: anna.id, authenticator: first?.id })
      expect(house.mails).toMatchObject([{ text: { key: 'notice.totp-removed', params: { name: 'Phone' } } }])
      expect(house.ended).toEqual([{ userId: anna.id, keep: {} }])
      await command('totp', 'remove').run({ user: 'ANNA@example.com' })
      expect(await house.totp.factor.enrolled(anna.id)).toBe(false)
      const events = await house.storage.db.auditEvent.findMany({ where: { action: 'totp.removed' } })
      expect(events).toHaveLength(2)
      expect(JSON.stringify(events)).toContain('command-line')
    })

    it('are not removed of somebody else, or of nobody', async () => {
      await house.addApp(house.holder(anna))
      const { id } = await row(anna)
      const remove = command('totp', 'remove')
      await expect(remove.run({ user: 'bert@example.com', authenticator: id })).rejects.toThrow(unknown)
      await expect(remove.run({ user: 'bert@example.com' })).rejects.toThrow(unknown)
      await expect(remove.run({ user: 'nobody' })).rejects.toThrow(
        expect.objectContaining({ code: 'users.not_found', status: 404 }),
      )
      expect(await house.totp.factor.enrolled(anna.id)).toBe(true)
    })
  })
})
