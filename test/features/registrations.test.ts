import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRegistrations, type RegistrationMode } from '../../src/features/registrations/index.ts'
import { settings as registrationSettings } from '../../src/features/registrations/settings.ts'
import { openTerms } from '../../src/features/terms/index.ts'
import { systemActor } from '../../src/kernel/http.ts'
import { attempt, defaultsOf, issuer, openPeople, type People, tally } from '../support/people.ts'

const password = 'seven purple umbrellas'
const fails = (code: string, status: number) => expect.objectContaining({ code, status })

interface Own {
  readonly mode?: RegistrationMode
  readonly mail?: boolean
}

describe('registrations', () => {
  let people: People
  beforeEach(async () => {
    people = await openPeople()
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const open = ({ mode = 'open', mail = true }: Own = {}) =>
    openRegistrations({
      ...people,
      issuer,
      mail: { ...people.mail, available: mail },
      terms: openTerms({ ...people, settings: { url: undefined, version: undefined, privacyUrl: undefined } })
        .terms,
      fields: {
        names: [],
        show: async () => ({ template: 'none', model: {} }),
        parse: () => ({}),
        save: async () => {},
      },
      settings: { ...defaultsOf(registrationSettings), mode },
    })
  const tokenIn = (link = ''): string => new URL(link).searchParams.get('invitation') ?? ''

  it('cannot be open where no mail can be sent', () => {
    expect(() => open({ mail: false })).toThrow(/LATCHKEY_REGISTRATIONS_MODE/)
    expect(open({ mode: 'closed', mail: false }).registration.mode).toBe('closed')
  })

  it('are closed to every step where they are closed', async () => {
    const { registration } = open()
    const mine = attempt()
    await registration.begin(mine, { form: { email: 'new@example.com', password } })
    const code = people.mails[0]?.code ?? ''
    const closed = open({ mode: 'closed' }).registration
    await expect(closed.form(undefined)).rejects.toThrow(fails('registrations.closed', 403))
    await expect(closed.begin(mine, { form: { email: 'x@example.com', password } })).rejects.toThrow(
      fails('registrations.closed', 403),
    )
    await expect(closed.finish(mine, code)).rejects.toThrow(fails('registrations.closed', 403))
    expect(await people.storage.db.user.count()).toBe(0)
  })

  it('make one user of 20 attempts with one address, in two processes', async () => {
    const { registration } = open()
    const codes = await Promise.all(
      Array.from({ length: 4 }, async (_, index) => {
        const mine = attempt({ id: `attempt-${index}` })
        await registration.begin(mine, {
          form: { email: 'new@example.com', password: `${password} ${index}` },
        })
        return { mine, code: people.mails.at(-1)?.code ?? '' }
      }),
    )
    const all = Array.from({ length: 20 }, (_, index) => codes[index % 4])
    await tally(all.map(async (each) => each && (await registration.finish(each.mine, each.code))))
    expect(await people.storage.db.user.count()).toBe(1)
    expect(await people.storage.db.password.count()).toBe(1)
  })

  it('leave nothing behind where a part of the account cannot be made', async () => {
    const { registration, resource } = open({ mode: 'invitation' })
    const { reveals, item } = await resource.create({}, systemActor)
    const mine = attempt()
    const input = { form: { email: 'new@example.com', password }, invitation: tokenIn(reveals?.link) }
    await registration.begin(mine, input)
    await resource.delete(item, systemActor)
    await expect(registration.finish(mine, people.mails.at(-1)?.code ?? '')).rejects.toThrow(
      fails('registrations.invitation_ended', 410),
    )
    const { db } = people.storage
    expect([await db.user.count(), await db.password.count()]).toEqual([0, 0])
  })

  describe('by invitation where no mail can be sent', () => {
    const closedOff = { mode: 'invitation', mail: false } as const

    it('need an address, and make the account at once, its address unproven', async () => {
      const { registration, resource } = open(closedOff)
      await expect(resource.create({}, systemActor)).rejects.toThrow(
        fails('registrations.address_needed', 400),
      )
      const { reveals } = await resource.create({ email: 'new@example.com' }, systemActor)
      expect(people.mails).toEqual([])
      const invitation = tokenIn(reveals?.link)
      expect(await registration.form(invitation)).toMatchObject({ email: 'new@example.com' })
      const other = { form: { email: 'other@example.com', password }, invitation }
      await expect(registration.begin(attempt(), other)).rejects.toThrow(
        fails('registrations.other_address', 400),
      )
      const form = { email: 'new@example.com', password }
      const proof = await registration.begin(attempt(), { form, invitation })
      expect(proof).toMatchObject({ factor: 'password', amr: ['pwd'] })
      const user = await people.users.findByIdentifier('new@example.com')
      expect(user).toMatchObject({ id: proof?.userId, emailVerified: false })
      await people.signIn('new@example.com', password)
    })

    it('make one account of 20 uses at the same time', async () => {
      const { registration, resource } = open(closedOff)
      const { reveals } = await resource.create({ email: 'new@example.com' }, systemActor)
      const input = { form: { email: 'new@example.com', password }, invitation: tokenIn(reveals?.link) }
      const uses = Array.from({ length: 20 }, (_, index) =>
        registration.begin(
          attempt({
            id: `attempt-${index}`,
            request: { requestId: 'r', address: `198.51.100.${index}`, userAgent: '' },
          }),
          input,
        ),
      )
      expect((await tally(uses)).success).toBe(1)
      expect(await people.storage.db.user.count()).toBe(1)
    })

    it('do not take an invitation that names nobody', async () => {
      const { reveals } = await open({ mode: 'invitation' }).resource.create({}, systemActor)
      const { registration } = open(closedOff)
      const form = { email: 'new@example.com', password }
      await expect(
        registration.begin(attempt(), { form, invitation: tokenIn(reveals?.link) }),
      ).rejects.toThrow(fails('registrations.invitation_ended', 410))
    })
  })

  it('list invitations with how they stand, and forget them a month after their end', async () => {
    const { resource, jobs } = open()
    for (const email of ['a@example.com', 'b@example.com', 'c@example.com'])
      await resource.create({ email }, systemActor)
    const first = await resource.list({ limit: 2 })
    expect(first.items.map(({ email, state }) => [email, state])).toHaveLength(2)
    const rest = await resource.list({ limit: 2, after: first.next ?? '' })
    expect([...first.items, ...rest.items].map(({ email }) => email).toSorted()).toEqual([
      'a@example.com',
      'b@example.com',
      'c@example.com',
    ])
    expect((await resource.list({ limit: 9, search: 'B@exa' })).items).toHaveLength(1)
    people.clock.advance(7 * 86_400)
    expect((await resource.list({ limit: 9 })).items.map(({ state }) => state)).toEqual(
      Array(3).fill('expired'),
    )
    people.clock.advance(30 * 86_400 - 1)
    await jobs?.[0]?.run()
    expect(await people.storage.db.invitation.count()).toBe(3)
    people.clock.advance(1)
    expect(await jobs?.[0]?.run()).toEqual({ more: false })
    expect(await people.storage.db.invitation.count()).toBe(0)
    for (const key of ['', '\0', 'x'.repeat(1_000)]) expect(await resource.find(key)).toBeUndefined()
  })
})
