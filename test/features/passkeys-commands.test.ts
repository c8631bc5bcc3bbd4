import { describe, expect, it } from 'vitest'
import { passkeysDefinition } from '../../src/features/passkeys/index.ts'
import { eventsOf, openScene, type PasskeyHouse } from '../support/passkeys.ts'

const run = async ({ passkeys }: PasskeyHouse, verb: string, input: Readonly<Record<string, unknown>>) =>
  await passkeys.commands?.find(({ words }) => words[1] === verb)?.run(input)

describe('the commands for somebody’s passkeys', () => {
  it('are those of the definition', async () => {
    await using home = await openScene()
    expect(home.house.passkeys.commands?.map(({ words }) => words)).toEqual(
      passkeysDefinition.commands?.map(({ words }) => words),
    )
  })

  it('list them without their keys', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    for (const user of [anna.id, 'ANNA@example.test']) {
      const answer = await run(house, 'list', { user })
      expect(answer?.json).toEqual([
        {
          id: device.passkeys[0]?.id,
          name: 'Passkey',
          maker: null,
          domain: 'id.example.test',
          createdAt: house.clock.now().toISOString(),
          lastUsedAt: null,
        },
      ])
      expect(answer?.text).toContain('for id.example.test')
    }
  })

  it('remove a lost one, even the last; its owner is told and signed out everywhere', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    house.ended.length = 0
    house.mails.length = 0
    await run(house, 'remove', { user: anna.id, passkey: device.passkeys[0]?.id })
    expect(await house.factor.enrolled(anna.id)).toBe(false)
    expect(house.ended).toEqual([`everything of ${anna.id}`, `devices of ${anna.id}`])
    expect(house.mails).toMatchObject([{ text: { key: 'notice.passkey-removed' } }])
    expect(await eventsOf(house, 'passkeys.removed')).toHaveLength(1)
  })

  it('remove all where none is named', async () => {
    await using home = await openScene()
    const { house, anna } = home
    await house.withPasskey(anna)
    await run(house, 'remove', { user: anna.id })
    expect(await house.storage.db.passkey.count()).toBe(0)
  })

  it('say what is not there', async () => {
    await using home = await openScene()
    const { house, anna } = home
    await expect(run(house, 'list', { user: 'nobody' })).rejects.toMatchObject({
      code: 'users.not_found',
    })
    await expect(run(house, 'remove', { user: anna.id, passkey: 'AAAA' })).rejects.toMatchObject({
      code: 'passkeys.not_found',
    })
    expect(await house.storage.db.passkey.count()).toBe(1)
  })
})
