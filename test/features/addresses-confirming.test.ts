import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ProvenAttempt } from '../../src/features/feature.ts'
import type { User } from '../../src/features/users/index.ts'
import {
  change,
  codeEnded,
  fails,
  linkEnded,
  type OpenAddresses,
  openAddresses,
  request,
} from '../support/addresses.ts'
import { attempt } from '../support/people.ts'

const unverified = { emailVerified: false }

describe('the confirmation of an own address', () => {
  let open: OpenAddresses
  beforeAll(async () => {
    open = await openAddresses({ LATCHKEY_ADDRESSES_VERIFICATION: 'required' })
  })
  afterAll(() => open[Symbol.asyncDispose]())
  beforeEach(() => open.next())

  const proven = ({ id }: User, name = 'one'): ProvenAttempt => {
    const own = attempt({ id: `${name} of ${id}`, userId: id })
    const holder = { id: own.id, user: { id, name: 'Ada' }, request, locale: 'en', keep: {} }
    return { ...own, userId: id, holder, able: [], provenAnew: true }
  }
  /** A proof was given in it. */
  const stand = async ({ id, userId }: ProvenAttempt): Promise<void> => {
    const proof = { factor: 'password', userId, amr: ['pwd'], at: open.clock.now(), epoch: '' }
    await open.latchkey.app.features.attempts.attempts.add(id, proof)
  }
  const interlude = () => {
    const { interlude: own } = open.feature
    if (own === undefined) throw new Error('There is no interlude.')
    return own
  }

  it('is done by code or by link, ends nothing and tells nobody', async () => {
    for (const way of ['code', 'link']) {
      open.next()
      const ada = await open.person('ada', unverified)
      const asker = open.asker(ada)
      await open.addresses.askToVerify(asker)
      const { code, token } = await open.sent(open.email('ada'))
      expect((await open.users.get(ada.id)).emailVerified).toBe(false)
      if (way === 'code') await open.addresses.confirmByCode(asker, code)
      else expect(await open.addresses.confirmByLink(token, request)).toMatchObject({ isChange: false })
      expect(await open.users.get(ada.id)).toMatchObject({ email: ada.email, emailVerified: true })
      expect(await open.db.artefact.count({ where: { userId: ada.id } })).toBe(1)
      expect(await open.mailsTo(open.email('ada'))).toHaveLength(1)
      await expect(open.addresses.askToVerify(asker)).rejects.toThrow(
        fails('addresses.nothing_to_confirm', 409),
      )
    }
  })

  it('of an address that was changed meanwhile brings it not back', async () => {
    const ada = await open.person('ada', unverified)
    const asker = open.asker(ada)
    await open.addresses.askToVerify(asker)
    const { code, token } = await open.sent(open.email('ada'))
    await open.users.update(ada.id, { email: open.email('given') }, change)
    await expect(open.addresses.confirmByCode(asker, code)).rejects.toThrow(codeEnded)
    await expect(open.addresses.confirmByLink(token, request)).rejects.toThrow(linkEnded)
    expect(await open.users.get(ada.id)).toMatchObject({ email: open.email('given'), emailVerified: false })
  })

  it('is due before a sign-in ends, only for who has not done it', async () => {
    const due = async (own: object) => await interlude().due(proven(await open.person('x', own)))
    expect(await due(unverified)).toBe(true)
    open.next()
    expect(await due({})).toBe(false)
    open.next()
    expect(await due({ email: null, username: 'without-any', emailVerified: false })).toBe(false)
  })

  it('in a sign-in sends a code when asked to, and takes it there alone', async () => {
    const ada = await open.person('ada', unverified)
    const [one, two] = [proven(ada), proven(ada, 'two')]
    await stand(one)
    expect((await interlude().show(one)).model).toEqual({ email: ada.email, waiting: false })
    expect(await interlude().finish(one, { send: 'yes' })).toBe('again')
    expect((await interlude().show(one)).model.waiting).toBe(true)
    const { code } = await open.sent(open.email('ada'))
    await expect(interlude().finish(two, { code })).rejects.toThrow(codeEnded)
    for (const input of [{}, { code: '' }, { code: '1234\u00005678' }, { code: ['1'] }, 'a text', undefined])
      await expect(interlude().finish(one, input)).rejects.toThrow(fails('addresses.code_incomplete', 400))
    expect((await open.users.get(ada.id)).emailVerified).toBe(false)
    expect(await interlude().finish(one, { code })).toBeUndefined()
    expect((await open.users.get(ada.id)).emailVerified).toBe(true)
    expect(await interlude().due(one)).toBe(false)
  })

  it('by the link in another browser lets the sign-in go on', async () => {
    const ada = await open.person('ada', unverified)
    const one = proven(ada)
    await expect(interlude().finish(one, { send: 'yes' })).rejects.toThrow(fails('attempts.ended', 409))
    await stand(one)
    await interlude().finish(one, { send: 'yes' })
    await open.addresses.confirmByLink((await open.sent(open.email('ada'))).token, request)
    expect(await interlude().due(one)).toBe(false)
    expect(await interlude().finish(one, {})).toBeUndefined()
  })

  it('is not asked for unless the setting says so', async () => {
    await using other = await openAddresses()
    expect(other.feature.interlude).toBeUndefined()
  })
})

describe('an address that an administrator changes', () => {
  it('ends what is signed in and pending, and tells both addresses', async () => {
    await using open = await openAddresses()
    const ada = await open.person()
    await open.addresses.askToChange(open.asker(ada), open.email('wanted'))
    open.clock.advance(1)
    await open.users.update(ada.id, { email: open.email('given') }, change)
    expect(await open.db.artefact.count({ where: { userId: ada.id } })).toBe(0)
    expect(await open.addresses.find(ada.id)).toBeUndefined()
    for (const to of ['ada', 'given'].map(open.email))
      expect((await open.mailsTo(to)).at(-1)?.text).toContain(`was changed to ${open.email('given')}`)
    open.clock.advance(1)
    await open.users.update(ada.id, { email: null, username: 'ada' }, change)
    expect((await open.mailsTo(open.email('given'))).at(-1)?.text).toContain('was removed')
  })

  it('is not changed by how it is written, nor by other details', async () => {
    await using open = await openAddresses()
    const ada = await open.person()
    await open.users.update(ada.id, { email: ada.email?.toUpperCase() ?? null, name: 'Ada L.' }, change)
    expect(await open.db.artefact.count({ where: { userId: ada.id } })).toBe(1)
    expect(await open.latchkey.mails()).toEqual([])
  })
})

describe('an address where no mail can be sent', () => {
  it('is shown with a word about that, and nothing is asked for that could not be done', async () => {
    await using open = await openAddresses({
      LATCHKEY_ISSUER: 'https://id.example.test',
      LATCHKEY_ADDRESSES_VERIFICATION: 'required',
    })
    const ada = await open.person('ada', unverified)
    const asker = open.asker(ada)
    const refused = fails('addresses.mail_unavailable', 409)
    await expect(open.addresses.askToVerify(asker)).rejects.toThrow(refused)
    await expect(open.addresses.askToChange(asker, open.email('new'))).rejects.toThrow(refused)
    expect(await open.addresses.find(ada.id)).toBeUndefined()
    const [panel] = open.feature.panels ?? []
    const visit = { userId: ada.id, holder: { id: 'page' } } as Parameters<
      NonNullable<typeof panel>['show']
    >[0]
    expect((await panel?.show(visit))?.model).toMatchObject({ available: false })
    const attempted = { userId: ada.id } as ProvenAttempt
    expect(await open.feature.interlude?.due(attempted)).toBe(false)
  })
})

describe('a change of address that waits for its proof', () => {
  const chosen = 'a brand new engine 1845'

  /** Somebody in a session of hers asks for a change to an address of his. */
  const asked = async (open: OpenAddresses) => {
    const ada = await open.person()
    await open.addresses.askToChange(open.asker(ada), open.email('evil'))
    return { ada, ...(await open.sent(open.email('evil'))) }
  }
  const stays = async (open: OpenAddresses, { ada, code, token }: Awaited<ReturnType<typeof asked>>) => {
    await expect(open.addresses.confirmByLink(token, request)).rejects.toThrow(linkEnded)
    await expect(open.addresses.confirmByCode(open.asker(ada), code)).rejects.toThrow(codeEnded)
    expect((await open.users.get(ada.id)).email).toBe(ada.email)
  }

  it('ends with the reset of the password that answers it', async () => {
    await using open = await openAddresses()
    const pending = await asked(open)
    const { passwords } = open.latchkey.app.features.passwords
    const { url } = await passwords.issueLink(pending.ada.id, 'reset', change)
    await passwords.chooseByLink({ token: new URL(url).searchParams.get('token') ?? '', password: chosen })
    await stays(open, pending)
  })

  it('ends with the sessions of its user, however they end, and with his being disabled', async () => {
    await using open = await openAddresses()
    const { sessions } = open.latchkey.app.features.sessions
    const { clock } = open
    const end: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
      all: (id) => sessions.endAll(id, change),
      others: (id) => sessions.endOthers(id, 'own', change),
      async one(id) {
        const loginTs = Math.floor(clock.now().getTime() / 1000)
        const payload = JSON.stringify({ uid: id, accountId: id, loginTs, amr: ['pwd'], authorizations: {} })
        const expiresAt = new Date(clock.now().getTime() + 3_600_000)
        const row = { model: 'Session', id, sessionUid: id, userId: id, payload, expiresAt }
        await open.db.artefact.create({ data: { ...row, createdAt: clock.now() } })
        await sessions.end(`ses_${id}`, change)
      },
      async disabled(id) {
        await open.users.disable(id as User['id'], change)
        await open.users.enable(id as User['id'], change)
      },
    }
    for (const way of Object.values(end)) {
      open.next()
      const pending = await asked(open)
      await way(pending.ada.id)
      await stays(open, pending)
    }
  })

  it('does not stand in the way of a reset at the same time', async () => {
    await using open = await openAddresses()
    const { passwords } = open.latchkey.app.features.passwords
    for (let round = 0; round < 5; round += 1) {
      open.next()
      const { ada, token } = await asked(open)
      const { url } = await passwords.issueLink(ada.id, 'reset', change)
      const reset = new URL(url).searchParams.get('token') ?? ''
      const results = await Promise.allSettled([
        open.addresses.confirmByLink(token, request),
        passwords.chooseByLink({ token: reset, password: chosen }),
      ])
      // Whichever is first ends the other one.
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const result of results) {
        if (result.status === 'fulfilled') continue
        expect(['addresses.link_ended', 'passwords.link_invalid']).toContain(result.reason.code)
      }
    }
  })

  it('leaves the proof of the own address be when something else is changed', async () => {
    await using open = await openAddresses()
    const ada = await open.person('ada', unverified)
    await open.addresses.askToVerify(open.asker(ada))
    await open.latchkey.app.features.sessions.sessions.endAll(ada.id, change)
    await open.addresses.confirmByLink((await open.sent(open.email('ada'))).token, request)
    expect((await open.users.get(ada.id)).emailVerified).toBe(true)
  })
})

describe('a link for another password', () => {
  const chosen = 'a brand new engine 1845'

  it('in the old mailbox opens nothing once the address was changed', async () => {
    await using open = await openAddresses()
    const ada = await open.person()
    const { passwords } = open.latchkey.app.features.passwords
    await passwords.requestReset({ identifier: open.email('ada'), request, locale: 'en' })
    const mail = (await open.mailsTo(open.email('ada'))).at(-1)
    const token = new URL(mail?.link ?? '').searchParams.get('token') ?? ''
    expect(await passwords.readLink(token)).toBeDefined()
    await open.addresses.askToChange(open.asker(ada), open.email('new'))
    await open.addresses.confirmByLink((await open.sent(open.email('new'))).token, request)
    const refused = fails('passwords.link_invalid', 410)
    await expect(passwords.chooseByLink({ token, password: chosen })).rejects.toThrow(refused)
    // Nor where one was on its way while the address changed.
    await open.db.passwordLink.updateMany({ where: { userId: ada.id }, data: { consumedAt: null } })
    expect(await passwords.readLink(token)).toBeUndefined()
    await expect(passwords.chooseByLink({ token, password: chosen })).rejects.toThrow(refused)
  })

  it('that an administrator handed out ends with the address, too', async () => {
    await using open = await openAddresses()
    const ada = await open.person()
    const { passwords } = open.latchkey.app.features.passwords
    const { url } = await passwords.issueLink(ada.id, 'invitation', change)
    await open.users.update(ada.id, { email: open.email('given') }, change)
    expect(await passwords.readLink(new URL(url).searchParams.get('token') ?? '')).toBeUndefined()
  })
})
