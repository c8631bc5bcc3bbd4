import { describe, expect, it } from 'vitest'
import { openPasskeyHouse } from '../support/passkeys.ts'

describe('where a server’s passkeys work', () => {
  it('is the issuer’s host, or the domain that is set', async () => {
    await using house = await openPasskeyHouse({ settings: { rpId: 'example.test' } })
    const anna = await house.person({ username: 'anna' })
    const { device } = await house.withPasskey(anna)
    expect(JSON.parse(await house.options()).rpId).toBe('example.test')
    expect(await house.signIn(device)).toMatchObject({ userId: anna.id })
  })

  it('is also on the related origins, which are published, and on no other', async () => {
    const related = 'https://new.example.org'
    await using house = await openPasskeyHouse({ settings: { relatedOrigins: [related] } })
    const anna = await house.person({ username: 'anna' })
    const { device } = await house.withPasskey(anna, { manner: { origin: related } })
    expect(await house.signIn(device, {}, { origin: related })).toMatchObject({ userId: anna.id })
    await expect(house.signIn(device, {}, { origin: 'https://example.org' })).rejects.toThrow()
    const [document] = house.passkeys.documents ?? []
    expect(document?.path).toBe('/.well-known/webauthn')
    expect(JSON.parse(document?.body ?? '')).toEqual({ origins: ['https://id.example.test', related] })
  })

  it('is nowhere for a host that is an IP address', async () => {
    await using house = await openPasskeyHouse()
    for (const issuer of ['http://127.0.0.1:3000', 'http://[::1]:3000'])
      await expect(house.openAnother({ issuer })).rejects.toThrow('Passkeys are not offered.')
  })

  it.each(['https://example.org/', 'example.org', 'https://example.org/path'])(
    'is refused at the start for the related origin %s',
    async (related) => {
      await using house = await openPasskeyHouse()
      await expect(house.openAnother({ settings: { relatedOrigins: [related] } })).rejects.toMatchObject({
        code: 'passkeys.bad_origin',
      })
    },
  )
})
