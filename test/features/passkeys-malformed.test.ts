import { describe, expect, it } from 'vitest'
import { openScene, type PasskeyHouse } from '../support/passkeys.ts'
import { attempt } from '../support/people.ts'

const refused = { code: 'passkeys.refused', status: 401 }

describe('what is no assertion', () => {
  const valid = { id: 'AAAA', type: 'public-key' }
  const response = { clientDataJSON: 'e30', authenticatorData: 'AAAA', signature: 'AAAA', userHandle: 'AAAA' }
  const malformed: readonly (readonly [string, unknown])[] = [
    ['text that is no JSON', { credential: '{' }],
    ['JSON that is no object', { credential: 'null' }],
    ['a list', { credential: '[]' }],
    ['an object without a response', { credential: JSON.stringify(valid) }],
    [
      'an object with more than belongs there',
      { credential: JSON.stringify({ ...valid, response, more: 1 }) },
    ],
    [
      'a credential id that is an object',
      { credential: JSON.stringify({ ...valid, id: { not: '' }, response }) },
    ],
    ['a credential id with a NUL', { credential: JSON.stringify({ ...valid, id: 'AA\0A', response }) }],
    [
      'a credential id beyond 1023 bytes',
      { credential: JSON.stringify({ ...valid, id: 'A'.repeat(1_400), response }) },
    ],
    [
      'a huge one',
      { credential: JSON.stringify({ ...valid, response: { ...response, signature: 'A'.repeat(40_000) } }) },
    ],
    ['a form with another field', { credential: JSON.stringify({ ...valid, response }), userId: 'x' }],
    ['no form', null],
    ['a field that is no text', { credential: {} }],
  ]

  it.each(malformed)('is refused as malformed: %s', async (_name, input) => {
    await using home = await openScene()
    const { house } = home
    await house.options()
    await expect(house.factor.finish(attempt(), input)).rejects.toMatchObject({
      code: 'passkeys.malformed',
      status: 400,
    })
  })

  it.each([{}, { credential: '' }])(
    'is refused with a word about JavaScript where nothing was sent',
    async (input) => {
      await using home = await openScene()
      await expect(home.house.factor.finish(attempt(), input)).rejects.toMatchObject({
        code: 'passkeys.no_answer',
        status: 400,
      })
    },
  )

  const known = (house: PasskeyHouse, changed: object) => async () => {
    await house.options()
    const id = (await house.storage.db.passkey.findFirst())?.id
    const handle = (await house.storage.db.passkeyOwner.findFirst())?.handle
    const parts = { ...response, userHandle: handle, ...changed }
    return await house.factor.finish(attempt(), {
      credential: JSON.stringify({ ...valid, id, response: parts }),
    })
  }

  it.each([
    ['client data that is no JSON', { clientDataJSON: 'AAAA' }],
    ['client data that is null', { clientDataJSON: Buffer.from('null').toString('base64url') }],
    ['client data without anything', { clientDataJSON: 'e30' }],
    ['authenticator data that is too short', {}],
    ['a signature that is none', { signature: 'AA' }],
  ])('is refused under a known passkey, too: %s', async (_name, changed) => {
    await using home = await openScene()
    await expect(known(home.house, changed)()).rejects.toMatchObject(refused)
  })
})
