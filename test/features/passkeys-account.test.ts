import { describe, expect, it } from 'vitest'
import type { Factor, ProvenAttempt } from '../../src/features/feature.ts'
import type { User } from '../../src/features/users/index.ts'
import { newAuthenticator } from '../support/authenticator.ts'
import {
  eventsOf,
  here,
  holderOf,
  openPasskeyHouse,
  openScene,
  optionsOf,
  type PasskeyHouse,
  type PasskeyHouseOptions,
  visitOf,
} from '../support/passkeys.ts'
import { attempt, tally } from '../support/people.ts'

/** Some other way to sign in, which this person has. */
const another: Factor = {
  name: 'another',
  offers: 'first',
  order: 1,
  enrolled: async () => true,
  finish: () => Promise.reject(new Error('Nobody signs in with it here.')),
}

const open = async (options: PasskeyHouseOptions = {}) => {
  const house = await openPasskeyHouse({ factors: [another], ...options })
  const anna = await house.person({ email: 'anna@example.test', name: 'Anna' })
  return { house, anna, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

const shown = async ({ panel }: PasskeyHouse, user: User) =>
  (await panel.show(visitOf(user)))?.model as {
    readonly passkeys: readonly Readonly<Record<string, unknown>>[]
    readonly signal: string
  }

const act = (house: PasskeyHouse, user: User, name: string, form: Readonly<Record<string, string>>) =>
  house.panel.acts?.[name]?.run(visitOf(user), form)

const idOf = async (house: PasskeyHouse, user: User) =>
  (await house.storage.db.passkey.findFirst({ where: { userId: user.id } }))?.id ?? ''

describe('a person’s passkeys', () => {
  it('are shown with what is known of them, and no key', async () => {
    await using home = await open()
    const { house, anna } = home
    const { device } = await house.withPasskey(anna)
    house.clock.advance(60)
    const synced = newAuthenticator({ counts: false, backupEligible: true })
    await house.withPasskey(anna, { device: synced })
    house.clock.advance(60)
    await house.signIn(synced)
    const { passkeys, signal } = await shown(house, anna)
    expect(passkeys).toMatchObject([
      { name: 'Passkey', kind: 'laptop', synced: false, lastUsedAt: undefined, otherDomain: undefined },
      { name: 'Passkey 2', kind: 'cloud', synced: true, lastUsedAt: house.clock.now() },
    ])
    expect(JSON.stringify(passkeys)).not.toContain('publicKey')
    expect(JSON.parse(signal)).toEqual({
      rpId: 'id.example.test',
      userId: device.passkeys[0]?.userHandle,
      allAcceptedCredentialIds: [device.passkeys[0]?.id, synced.passkeys[0]?.id],
    })
  })

  it('are shown as useless where they were made for another domain, and can be removed', async () => {
    await using home = await open()
    const { house, anna } = home
    await house.withPasskey(anna)
    await house.storage.db.passkey.updateMany({ data: { rpId: 'old.example.test' } })
    const { passkeys, signal } = await shown(house, anna)
    expect(passkeys).toMatchObject([{ otherDomain: 'old.example.test' }])
    expect(JSON.parse(signal).allAcceptedCredentialIds).toEqual([])
    expect(await house.factor.enrolled(anna.id)).toBe(false)
    await act(house, anna, 'remove', { id: await idOf(house, anna) })
    expect((await shown(house, anna)).passkeys).toEqual([])
  })

  it('are added on a page of their own by who has just proven who he is', async () => {
    await using home = await open()
    const { house, anna } = home
    const page = house.panel.pages?.add
    expect(page).toMatchObject({ fresh: true })
    const view = await page?.show(visitOf(anna), {})
    const credential = newAuthenticator().create(optionsOf(view), here)
    expect(house.panel.acts?.add).toMatchObject({ fresh: true, page: 'add' })
    expect(await act(house, anna, 'add', { credential })).toEqual({
      notice: { key: 'passkeys.added', params: { name: 'Passkey' } },
    })
  })

  it('are exported without their keys', async () => {
    await using home = await open()
    const { house, anna } = home
    await house.withPasskey(anna, {
      manner: { ...here, aaguid: 'd548826e-79b4-db40-a3d8-11116f7e8349' },
    })
    expect(await house.passkeys.export?.(anna.id)).toEqual([
      {
        name: 'Bitwarden',
        maker: 'Bitwarden',
        domain: 'id.example.test',
        synced: false,
        createdAt: house.clock.now().toISOString(),
        lastUsedAt: null,
      },
    ])
  })
})

describe('renaming', () => {
  it('gives a passkey the name that was typed', async () => {
    await using home = await open()
    const { house, anna } = home
    await house.withPasskey(anna)
    await act(house, anna, 'rename', { id: await idOf(house, anna), name: '  Café-Laptop <b>  ' })
    expect((await shown(house, anna)).passkeys).toMatchObject([{ name: 'Café-Laptop <b>' }])
  })

  it.each(['', '   ', 'x'.repeat(65), 'a\nb', 'a\0b', 'a\u202eb'])('refuses %j', async (name) => {
    await using home = await open()
    const { house, anna } = home
    await house.withPasskey(anna)
    const refused = act(house, anna, 'rename', { id: await idOf(house, anna), name })
    await expect(refused).rejects.toMatchObject({ code: 'passkeys.bad_name', status: 400, field: 'name' })
  })

  it('has a page of its own, as removing has, for the owner alone', async () => {
    await using home = await open()
    const { house, anna } = home
    const bert = await house.person({ username: 'bert' })
    await house.withPasskey(anna)
    const id = await idOf(house, anna)
    expect(house.panel.pages?.remove).toMatchObject({ fresh: true })
    for (const name of ['rename', 'remove']) {
      const page = house.panel.pages?.[name]
      expect((await page?.show(visitOf(anna), { id }))?.model).toEqual({ id, name: 'Passkey' })
      for (const [user, query] of [
        [bert, { id }],
        [anna, {}],
      ] as const)
        await expect(page?.show(visitOf(user), query)).rejects.toMatchObject({ code: 'passkeys.not_found' })
    }
  })

  it('does not reach the passkey of somebody else', async () => {
    await using home = await open()
    const { house, anna } = home
    const bert = await house.person({ username: 'bert' })
    await house.withPasskey(anna)
    const form = { id: await idOf(house, anna), name: 'mine' }
    for (const name of ['rename', 'remove'])
      await expect(act(house, bert, name, form)).rejects.toMatchObject({
        code: 'passkeys.not_found',
        status: 404,
      })
    expect((await shown(house, anna)).passkeys).toMatchObject([{ name: 'Passkey' }])
  })
})

describe('removing', () => {
  it('ends the passkey at once, tells the owner, and signs out everything else', async () => {
    await using home = await open()
    const { house, anna } = home
    const { device } = await house.withPasskey(anna)
    const credential = device.get(await house.options(), here)
    house.mails.length = 0
    house.ended.length = 0
    expect(house.panel.acts?.remove).toMatchObject({ fresh: true })
    await act(house, anna, 'remove', { id: await idOf(house, anna) })
    expect(house.mails).toMatchObject([{ text: { key: 'notice.passkey-removed' } }])
    expect(house.ended).toEqual([`all but session-1 of ${anna.id}`, `devices of ${anna.id}`])
    expect(await eventsOf(house, 'passkeys.removed')).toMatchObject([{ userId: anna.id }])
    await expect(house.factor.finish(attempt(), { credential })).rejects.toMatchObject({
      code: 'passkeys.refused',
    })
  })

  it('leaves one to whoever has no other way to sign in, even if all are removed at the same time', async () => {
    await using home = await open({ factors: [] })
    const { house, anna } = home
    for (let count = 0; count < 4; count += 1) await house.withPasskey(anna)
    const ids = (await shown(house, anna)).passkeys.map(({ id }) => String(id))
    const counts = await tally(ids.map(async (id) => await act(house, anna, 'remove', { id })))
    expect(counts).toEqual({ success: 3, 'passkeys.last_way': 1 })
    expect((await shown(house, anna)).passkeys).toHaveLength(1)
  })
})

describe('the offer of a passkey after a sign-in without one', () => {
  const proven = (user: User, factors: readonly string[] = ['password'], at = new Date()): ProvenAttempt => ({
    ...attempt({
      userId: user.id,
      proofs: factors.map((factor) => ({ factor, userId: user.id, amr: [], at })),
    }),
    userId: user.id,
    holder: holderOf(user),
    able: ['passkeys'],
    provenAnew: true,
  })

  it('is made to who has none, and not to who has one or has just used one', async () => {
    await using home = await open()
    const { house, anna } = home
    expect(await house.interlude.due(proven(anna))).toBe(true)
    expect(await house.interlude.due(proven(anna, ['password', 'passkey']))).toBe(false)
    await house.withPasskey(anna)
    expect(await house.interlude.due(proven(anna))).toBe(false)
  })

  it('is made again where the only passkey is of no use any more', async () => {
    await using home = await openScene()
    const { house, anna } = home
    await house.storage.db.passkey.updateMany({ data: { rpId: 'old.example.test' } })
    expect(await house.interlude.due(proven(anna))).toBe(true)
  })

  it('is made only in a browser that can make one, and to who has proven all that guards his account', async () => {
    await using home = await open()
    expect(home.house.interlude.capability).toBe('passkeys')
    expect(await home.house.interlude.due({ ...proven(home.anna), provenAnew: false })).toBe(false)
  })

  it('comes back in its time to who does not want it now', async () => {
    await using home = await open()
    const { house, anna } = home
    await house.interlude.finish(proven(anna), { answer: 'later', credential: '' })
    house.clock.advance(30 * 86_400 - 1)
    expect(await house.interlude.due(proven(anna))).toBe(false)
    house.clock.advance(1)
    expect(await house.interlude.due(proven(anna))).toBe(true)
  })

  it('never comes back to who does not want it', async () => {
    await using home = await open()
    const { house, anna } = home
    await house.interlude.finish(proven(anna), { answer: 'never' })
    house.clock.advance(100 * 365 * 86_400)
    expect(await house.interlude.due(proven(anna))).toBe(false)
  })

  it('adds the passkey, which counts in this very sign-in', async () => {
    await using home = await open()
    const { house, anna } = home
    const options = optionsOf(await house.interlude.show(proven(anna)))
    const credential = newAuthenticator().create(options, here)
    expect(await house.interlude.finish(proven(anna), { credential })).toMatchObject({
      factor: 'passkey',
      userId: anna.id,
    })
    expect(await house.factor.enrolled(anna.id)).toBe(true)
  })

  it.each([{}, { credential: '' }])('goes on for nobody who answers nothing', async (input) => {
    await using home = await open()
    await expect(home.house.interlude.finish(proven(home.anna), input)).rejects.toMatchObject({
      code: 'passkeys.no_answer',
    })
  })

  it('is not made where the setting says so', async () => {
    await using home = await open({ settings: { offer: false } })
    expect(await home.house.interlude.due(proven(home.anna))).toBe(false)
  })
})
