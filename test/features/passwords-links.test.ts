import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { change, issuer, openPeople, type People, request } from '../support/people.ts'

const password = 'seven purple umbrellas'
const fails = (code: string, status: number) => expect.objectContaining({ code, status })
const refused = fails('passwords.invalid_credentials', 401)
const tokenOf = (url: string) => new URL(url).searchParams.get('token') ?? ''

describe('links for choosing a password', () => {
  let people: People
  beforeEach(async () => {
    people = await openPeople()
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const anna = () => people.person({ email: 'anna@example.com', username: 'anna' }, password)

  const link = async (userId: string, purpose: 'invitation' | 'reset' = 'reset') =>
    tokenOf((await people.passwords.issueLink(userId, purpose, change)).url)
  const used = fails('passwords.link_invalid', 410)

  it('lets the person choose a password, once, and ends what he had open', async () => {
    const { id } = await anna()
    const { db } = people.storage
    await db.artefact.create({ data: { model: 'Session', id: 'a', payload: '{}', userId: id } })
    const token = await link(id)
    expect((await people.passwords.readLink(token))?.id).toBe(id)
    await people.passwords.chooseByLink({ token, password: 'another long phrase', request })
    expect(await db.artefact.count()).toBe(0)
    await expect(people.signIn('anna', password)).rejects.toThrow(refused)
    await people.signIn('anna', 'another long phrase')
    expect(await people.passwords.readLink(token)).toBeUndefined()
    await expect(people.passwords.chooseByLink({ token, password: 'a third long phrase' })).rejects.toThrow(
      used,
    )
    await people.signIn('anna', 'another long phrase')
  })

  it('works for exactly one of 10 parallel uses, in two processes', async () => {
    const { id } = await anna()
    const other = await people.openAnother()
    const token = await link(id)
    const chosen = Array.from({ length: 10 }, (_, index) => `phrase number ${index} of ten`)
    const results = await Promise.allSettled(
      chosen.map((each, index) =>
        (index % 2 === 0 ? people : other).passwords.chooseByLink({ token, password: each }),
      ),
    )
    const won = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [chosen[index] ?? ''] : []))
    expect(won).toHaveLength(1)
    await people.signIn('anna', won[0] ?? '')
  })

  it('sets the password of the person it was made for and nobody else', async () => {
    const { id } = await anna()
    const ben = await people.person({ username: 'ben' }, 'the phrase of ben')
    const token = await link(ben.id)
    const user = await people.passwords.chooseByLink({ token, password: 'another long phrase' })
    expect(user.id).toBe(ben.id)
    await people.signIn('anna', password)
    await people.signIn('ben', 'another long phrase')
    expect(await people.passwords.readLink(await link(id))).toMatchObject({ id })
  })

  it('ends when it expires, is replaced, or its person is disabled', async () => {
    const { id } = await anna()
    const replaced = await link(id)
    const token = await link(id)
    const choose = (of: string) =>
      people.passwords.chooseByLink({ token: of, password: 'another long phrase' })
    await expect(choose(replaced)).rejects.toThrow(used)
    await people.users.disable(id, change)
    await expect(choose(token)).rejects.toThrow(used)
    await people.users.enable(id, change)
    people.clock.advance(3_600)
    await expect(choose(token)).rejects.toThrow(used)
    await people.signIn('anna', password)
  })

  it('gives a new person a day and a reset an hour', async () => {
    const { id } = await anna()
    const seconds = async (purpose: 'invitation' | 'reset') => {
      const { expiresAt } = await people.passwords.issueLink(id, purpose, change)
      return (expiresAt.getTime() - people.clock.now().getTime()) / 1000
    }
    expect([await seconds('invitation'), await seconds('reset')]).toEqual([86_400, 3_600])
  })

  it('leads to the configured issuer and is stored only as a hash', async () => {
    const { id } = await anna()
    const { url } = await people.passwords.issueLink(id, 'reset', change)
    expect(url).toMatch(/^https:\/\/id\.example\.test\/set-password\?token=[\w-]{43}$/)
    expect(url.startsWith(issuer)).toBe(true)
    const stored = JSON.stringify([
      await people.storage.db.passwordLink.findMany(),
      await people.storage.db.auditEvent.findMany(),
    ])
    expect(stored).not.toContain(tokenOf(url))
  })

  it.each(['', '\0', 'a'.repeat(43), 'a'.repeat(100_000)])(
    'knows nothing of a made-up token',
    async (token) => {
      expect(await people.passwords.readLink(token)).toBeUndefined()
      await expect(people.passwords.chooseByLink({ token, password: 'another long phrase' })).rejects.toThrow(
        used,
      )
    },
  )

  it('stays usable when the password is refused', async () => {
    const { id } = await anna()
    const token = await link(id)
    const choose = (chosen: string) => people.passwords.chooseByLink({ token, password: chosen })
    await expect(choose('short')).rejects.toThrow(fails('passwords.too_short', 400))
    await expect(choose('anna@example.com')).rejects.toThrow(fails('passwords.personal', 400))
    await choose('another long phrase')
  })

  it('is removed some time after it expired', async () => {
    const { id } = await anna()
    await link(id)
    people.clock.advance(3_599)
    const run = people.features.passwords.jobs?.[0]?.run
    await run?.()
    expect(await people.storage.db.passwordLink.count()).toBe(1)
    people.clock.advance(1)
    expect(await run?.()).toEqual({ more: false })
    expect(await people.storage.db.passwordLink.count()).toBe(0)
  })
})
