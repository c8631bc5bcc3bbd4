import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Visit } from '../../src/features/feature.ts'
import type { User } from '../../src/features/users/index.ts'
import { openPeople, type People, request, tally } from '../support/people.ts'

const present = 'seven purple umbrellas'
const chosen = 'a difference of engines 1822'
const fails = (code: string, status: number) => expect.objectContaining({ code, status })

describe('changing a password', () => {
  let people: People
  beforeEach(async () => {
    people = await openPeople()
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const anna = () => people.person({ email: 'anna@example.com', username: 'anna' }, present)
  const visitOf = ({ id }: User, own: Partial<Visit> = {}): Visit => ({
    userId: id,
    sessionUid: 'this-session',
    authenticatedAt: people.clock.now(),
    holder: {
      id: 'holder-1',
      user: { id, name: 'anna@example.com' },
      request,
      locale: 'en',
      keep: { sessionUid: 'this-session' },
    },
    request,
    locale: 'en',
    ...own,
  })
  const panel = (of: Pick<People, 'features'> = people) => {
    const found = of.features.passwords.panels?.find(({ name }) => name === 'password')
    if (found?.acts?.change === undefined) throw new Error('There is no such panel.')
    return { ...found, change: found.acts.change }
  }
  const change = (user: User, form: Record<string, string>, own: Partial<Visit> = {}) =>
    panel().change.run(visitOf(user, own), form)

  it('takes the present password and a new one, and tells the owner', async () => {
    const user = await anna()
    expect(await change(user, { present, password: chosen })).toMatchObject({ to: '/account/security' })
    await people.signIn('anna', chosen)
    await expect(people.signIn('anna', present)).rejects.toThrow(fails('passwords.invalid_credentials', 401))
    expect(people.mails).toMatchObject([{ to: 'anna@example.com', userId: user.id, isNotice: true }])
    const events = await people.storage.db.auditEvent.findMany({ where: { action: 'passwords.changed' } })
    expect(events).toMatchObject([{ userId: user.id, actor: `user:${user.id}` }])
    expect(JSON.stringify(events)).not.toMatch(/umbrellas|engines/)
  })

  it('is open only to who has just proven who he is', () => {
    expect([panel().change.fresh, panel().pages?.change?.fresh]).toEqual([true, true])
  })

  it('ends links that are under way, trusted devices and what else is signed in', async () => {
    const user = await anna()
    const { db } = people.storage
    const { url } = await people.passwords.issueLink(user.id, 'reset', { actor: { kind: 'system' } })
    const until = new Date('2030-01-01')
    await db.trustedDevice.createMany({
      data: [
        {
          ...{ id: 'd', userId: user.id, deviceHash: 'h', previousHash: 'p' },
          ...{ userAgent: 'test', createdAt: until, expiresAt: until },
        },
      ],
    })
    await db.artefact.create({ data: { model: 'RefreshToken', id: 'r', payload: '{}', userId: user.id } })
    await change(user, { present, password: chosen })
    const token = new URL(url).searchParams.get('token') ?? ''
    expect(await people.passwords.readLink(token)).toBeUndefined()
    expect([await db.trustedDevice.count(), await db.artefact.count()]).toEqual([0, 0])
  })

  it('refuses a wrong present password, counts it before it is looked at, and says when to try again', async () => {
    const user = await anna()
    for (const wrong of ['', 'not this one', `${present} `, '\0', 'x'.repeat(2_000), '\ud800'])
      await expect(change(user, { present: wrong, password: chosen })).rejects.toThrow(
        fails('passwords.present_wrong', 400),
      )
    await expect(change(user, { password: chosen })).rejects.toThrow(fails('passwords.present_wrong', 400))
    const guesses = Array.from({ length: 20 }, (_, index) =>
      change(user, { present: `guess number ${index}`, password: chosen }),
    )
    expect(await tally(guesses)).toEqual({ 'passwords.present_wrong': 2, 'throttle.too_many_attempts': 18 })
    await expect(change(user, { present, password: chosen })).rejects.toThrow(
      fails('throttle.too_many_attempts', 429),
    )
    people.clock.advance(30)
    await change(user, { present, password: chosen })
  })

  it('holds the new one to the rules', async () => {
    const user = await anna()
    for (const [password, code] of [
      ['short', 'too_short'],
      ['password123', 'common'],
      ['anna@example.com', 'personal'],
    ] as const)
      await expect(change(user, { present, password })).rejects.toThrow(fails(`passwords.${code}`, 400))
    await expect(change(user, { present })).rejects.toThrow(fails('passwords.invalid_input', 400))
    expect(people.mails).toEqual([])
    await people.signIn('anna', present)
  })

  it('lets one of 20 parallel changes win, in two processes', async () => {
    const user = await anna()
    const other = await people.openAnother()
    const own = { device: 'd'.repeat(43) }
    await people.throttle
      .admit({ account: 'anna', ...own, address: request.address })
      .then((admission) => admission.succeeded(user.id))
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        panel(index % 2 === 0 ? people : other).change.run(visitOf(user, own), {
          present,
          password: `phrase number ${index} of twenty`,
        }),
      ),
    )
    const codes = results.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
    const known = ['passwords.changed_meanwhile', 'passwords.present_wrong', 'throttle.too_many_attempts']
    expect(codes.filter((code) => !known.includes(code))).toEqual([])
    const won = results.findIndex(({ status }) => status === 'fulfilled')
    expect(codes).toHaveLength(19)
    people.clock.advance(900)
    await people.signIn('anna', `phrase number ${won} of twenty`)
  })

  it('sets a first password for who has none, once', async () => {
    const user = await people.person({ email: 'ben@example.com' })
    expect((await panel().show(visitOf(user)))?.model).toEqual({ removable: false })
    expect((await panel().pages?.change?.show(visitOf(user), {}))?.model).toMatchObject({ has: false })
    const tries = Array.from({ length: 20 }, (_, index) =>
      change(user, { password: `phrase number ${index} of twenty` }),
    )
    const { success, ...others } = await tally(tries)
    expect(success).toBe(1)
    expect(Object.keys(others).filter((code) => !/changed_meanwhile|present_wrong/.test(code))).toEqual([])
    expect((await panel().show(visitOf(user)))?.model).toMatchObject({ changedAt: people.clock.now() })
    expect(await people.features.passwords.export?.(user.id)).toEqual({
      changedAt: people.clock.now().toISOString(),
    })
  })
})
