import { describe, expect, it } from 'vitest'
import { type Manner, newAuthenticator } from '../support/authenticator.ts'
import {
  eventsOf,
  here,
  holderOf,
  openPasskeyHouse,
  openScene,
  optionsOf,
  type PasskeyHouse,
} from '../support/passkeys.ts'
import { tally } from '../support/people.ts'

const notAdded = { code: 'passkeys.not_added', status: 400 }
const tooOld = { code: 'passkeys.page_too_old', status: 400 }

const open = async () => {
  const house = await openPasskeyHouse()
  const anna = await house.person({ email: 'anna@example.test', name: 'Anna Amsel' })
  return { house, anna, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

const stored = async ({ storage }: PasskeyHouse) =>
  await storage.db.passkey.findMany({ orderBy: [{ createdAt: 'asc' }, { name: 'asc' }] })

describe('the making of a passkey', () => {
  it('asks for one that is found without a user name, with user verification and no attestation', async () => {
    await using home = await open()
    const { house, anna } = home
    const options = JSON.parse(optionsOf(await house.enrolment.begin(holderOf(anna))))
    expect(options).toMatchObject({
      rp: { id: 'id.example.test', name: 'Latchkey' },
      user: { name: 'anna@example.test', displayName: 'Anna Amsel' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [],
    })
    expect(Buffer.from(options.user.id, 'base64url')).toHaveLength(64)
  })

  it('gives a person one random handle for all passkeys, and excludes those that are there', async () => {
    await using home = await open()
    const { house, anna } = home
    const { device } = await house.withPasskey(anna)
    const options = JSON.parse(optionsOf(await house.enrolment.begin(holderOf(anna))))
    expect(options.user.id).toBe(device.passkeys[0]?.userHandle)
    expect(options.excludeCredentials).toMatchObject([{ id: device.passkeys[0]?.id }])
    expect(options.user.id).not.toContain(anna.id)
  })

  it('proves that the person has it, tells the owner, and signs out everything else', async () => {
    await using home = await open()
    const { house, anna } = home
    expect(await house.factor.enrolled(anna.id)).toBe(false)
    const { proof } = await house.withPasskey(anna)
    expect(proof).toMatchObject({ factor: 'passkey', userId: anna.id, level: 'phishing-resistant' })
    expect(await house.factor.enrolled(anna.id)).toBe(true)
    expect(house.mails).toMatchObject([{ to: 'anna@example.test', text: { key: 'notice.passkey-added' } }])
    expect(house.ended).toEqual([`all but session-1 of ${anna.id}`, `devices of ${anna.id}`])
    expect(await eventsOf(house, 'passkeys.added')).toMatchObject([{ userId: anna.id, outcome: 'success' }])
  })

  it('does not read attestation statements, so that none can send the server anywhere', async () => {
    await using home = await open()
    const { house, anna } = home
    const statement = {
      fmt: 'apple',
      attStmt: new Map([['x5c', [Buffer.from('no certificate at all')]]]),
    } as const
    await house.withPasskey(anna, { manner: { ...here, statement } })
    expect(await house.factor.enrolled(anna.id)).toBe(true)
  })

  it('keeps nothing where the mail about it cannot be written', async () => {
    await using home = await open()
    const { house, anna } = home
    house.mails.push = () => {
      throw new Error('the outbox is full')
    }
    await expect(house.withPasskey(anna)).rejects.toThrow('the outbox is full')
    expect(await stored(house)).toEqual([])
  })
})

describe('a registration that must add nothing', () => {
  const lies: readonly (readonly [string, Manner])[] = [
    ['from another origin', { origin: 'https://evil.test' }],
    ['for another relying party', { ...here, rpId: 'evil.test' }],
    ['without user verification', { ...here, userVerified: false }],
    ['without user presence', { ...here, userPresent: false }],
    ['for another challenge', { ...here, challenge: 'AAAA' }],
    ['of the other ceremony', { ...here, type: 'webauthn.get' }],
    ['made in a frame of another site', { ...here, crossOrigin: true }],
    ['backed up without being able to be', { ...here, backedUp: true }],
  ]

  it.each(lies)('is one %s', async (_name, manner) => {
    await using home = await open()
    const { house, anna } = home
    await expect(house.withPasskey(anna, { manner })).rejects.toMatchObject(notAdded)
    expect(await stored(house)).toEqual([])
    expect(house.mails).toEqual([])
  })

  it('is one that was used before', async () => {
    await using home = await open()
    const { house, anna } = home
    const { holder, credential } = await house.withPasskey(anna)
    await expect(house.enrolment.finish(holder, { credential })).rejects.toMatchObject(tooOld)
    await house.enrolment.begin(holder)
    await expect(house.enrolment.finish(holder, { credential })).rejects.toMatchObject(notAdded)
    expect(await stored(house)).toHaveLength(1)
  })

  it('is one for the page of somebody else, or of another session', async () => {
    await using home = await open()
    const { house, anna } = home
    const bert = await house.person({ username: 'bert' })
    const ofAnna = holderOf(anna)
    const credential = newAuthenticator().create(optionsOf(await house.enrolment.begin(ofAnna)), here)
    await expect(house.enrolment.finish(holderOf(bert), { credential })).rejects.toMatchObject(tooOld)
    const elsewhere = holderOf(anna, { id: 'another session' })
    await expect(house.enrolment.finish(elsewhere, { credential })).rejects.toMatchObject(tooOld)
    // Whoever signs in as somebody else in the same browser does not inherit the challenge.
    const samePage = holderOf(bert, { id: ofAnna.id })
    await expect(house.enrolment.finish(samePage, { credential })).rejects.toMatchObject(tooOld)
    expect(await stored(house)).toEqual([])
  })

  it('is one whose page was open for too long', async () => {
    await using home = await open()
    const { house, anna } = home
    const holder = holderOf(anna)
    const credential = newAuthenticator().create(optionsOf(await house.enrolment.begin(holder)), here)
    house.clock.advance(1_800)
    await expect(house.enrolment.finish(holder, { credential })).rejects.toMatchObject(tooOld)
  })

  it('is one with a credential id that somebody has already, whoever he is', async () => {
    await using home = await openScene()
    const { house, device } = home
    const bert = await house.person({ username: 'bert' })
    const id = device.passkeys[0]?.id ?? ''
    await expect(house.withPasskey(bert, { manner: { ...here, id } })).rejects.toMatchObject({
      code: 'passkeys.already_added',
      status: 409,
    })
    expect(await stored(house)).toHaveLength(1)
  })

  it('is one that names another credential id than the authenticator', async () => {
    await using home = await open()
    const { house, anna } = home
    const holder = holderOf(anna)
    const options = optionsOf(await house.enrolment.begin(holder))
    const credential = JSON.parse(newAuthenticator().create(options, here))
    const renamed = JSON.stringify({ ...credential, id: 'QUFBQQ' })
    await expect(house.enrolment.finish(holder, { credential: renamed })).rejects.toMatchObject(notAdded)
  })

  it.each([
    ['an attestation object that is no CBOR', { attestationObject: '____' }],
    ['an attestation object that is a number', { attestationObject: 'AQ' }],
    [
      'an attestation object nested a thousand times',
      { attestationObject: Buffer.alloc(1_000, 0x81).toString('base64url') },
    ],
    ['client data that is no JSON', { clientDataJSON: 'AAAA' }],
  ])('is %s', async (_name, changed) => {
    await using home = await open()
    const { house, anna } = home
    const holder = holderOf(anna)
    const made = JSON.parse(newAuthenticator().create(optionsOf(await house.enrolment.begin(holder)), here))
    const credential = JSON.stringify({ ...made, response: { ...made.response, ...changed } })
    await expect(house.enrolment.finish(holder, { credential })).rejects.toMatchObject(notAdded)
  })

  it.each(['{', '[]', '{"id":"\\u0000"}', 'A'.repeat(40_000)])(
    'is malformed, and says so: %#',
    async (credential) => {
      await using home = await open()
      const holder = holderOf(home.anna)
      await home.house.enrolment.begin(holder)
      await expect(home.house.enrolment.finish(holder, { credential })).rejects.toMatchObject({
        code: 'passkeys.malformed',
        status: 400,
      })
    },
  )

  it('adds one passkey of twenty identical ones sent at the same time', async () => {
    await using home = await open()
    const { house, anna } = home
    const other = await house.openAnother()
    const holder = holderOf(anna)
    const credential = newAuthenticator().create(optionsOf(await house.enrolment.begin(holder)), here)
    const counts = await tally(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? house : other).enrolment.finish(holder, { credential }),
      ),
    )
    expect(counts).toEqual({ success: 1, 'passkeys.page_too_old': 19 })
    expect(await stored(house)).toHaveLength(1)
  })
})

describe('how many passkeys a person can have', () => {
  it('is limited, even where many are added at the same time', async () => {
    await using house = await openPasskeyHouse({ settings: { limit: 3 } })
    const anna = await house.person({ username: 'anna' })
    const pages = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const holder = holderOf(anna, { id: `page ${index}` })
        return { holder, options: optionsOf(await house.enrolment.begin(holder)) }
      }),
    )
    const counts = await tally(
      pages.map(({ holder, options }) =>
        house.enrolment.finish(holder, { credential: newAuthenticator().create(options, here) }),
      ),
    )
    // What was begun on another page ends when one was added, so that fewer than three can come through.
    const { success = 0 } = counts
    expect(success).toBeGreaterThan(0)
    expect(success).toBeLessThanOrEqual(3)
    for (let more = success; more < 3; more += 1) {
      const options = optionsOf(await house.enrolment.begin(holderOf(anna)))
      await house.enrolment.finish(holderOf(anna), { credential: newAuthenticator().create(options, here) })
    }
    await expect(house.enrolment.begin(holderOf(anna))).rejects.toMatchObject({
      code: 'passkeys.too_many',
      status: 409,
      params: { limit: 3 },
    })
  })
})

describe('the name of a new passkey', () => {
  const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140'
  const phone = 'Mozilla/5.0 (Linux; Android 16) Chrome/140 Mobile'

  it.each([
    ['its maker’s', { aaguid: 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4' }, windows, 'Google Password Manager'],
    [
      'a security key’s',
      { aaguid: '2fc0579f-8113-47ea-b116-bb5a8db9202a', transports: ['usb'] },
      phone,
      'YubiKey',
    ],
    ['the device’s, where it is in there', { transports: ['internal'] }, phone, 'Android'],
    ['none in particular, where nothing is known', { transports: ['usb', 'made-up'] }, windows, 'Passkey'],
  ])('is %s', async (_name, manner, userAgent, name) => {
    await using home = await open()
    const { house, anna } = home
    const holder = holderOf(anna, { request: { requestId: 'r', address: '192.0.2.1', userAgent } })
    const begun = optionsOf(await house.enrolment.begin(holder))
    const credential = newAuthenticator().create(begun, { ...here, ...manner })
    await house.enrolment.finish(holder, { credential })
    expect(await stored(house)).toMatchObject([{ name }])
  })

  it('has a number where another one is called so already', async () => {
    await using home = await open()
    const { house, anna } = home
    for (let count = 0; count < 3; count += 1) await house.withPasskey(anna)
    expect((await stored(house)).map(({ name }) => name)).toEqual(['Passkey', 'Passkey 2', 'Passkey 3'])
  })
})
