import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Manner, newAuthenticator } from '../support/authenticator.ts'
import { eventsOf, here, openScene } from '../support/passkeys.ts'
import { attempt, change, request, tally } from '../support/people.ts'

const refused = { code: 'passkeys.refused', status: 401 }
const tooOld = { code: 'passkeys.page_too_old', status: 400 }

describe('a sign-in by passkey', () => {
  it('needs no user name: the passkey says whose it is', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    expect(await house.signIn(device)).toMatchObject({
      factor: 'passkey',
      userId: anna.id,
      amr: ['hwk', 'user', 'mfa'],
      level: 'phishing-resistant',
      at: house.clock.now(),
    })
    expect(await eventsOf(house, 'passkeys.proved')).toMatchObject([{ userId: anna.id, outcome: 'success' }])
  })

  it('says of a passkey that is copied between devices that its key is software', async () => {
    await using home = await openScene({ counts: false, backupEligible: true })
    expect(await home.house.signIn(home.device)).toMatchObject({ amr: ['swk', 'user', 'mfa'] })
  })

  it('asks for a passkey of the domain with user verification, and names none where nobody is known', async () => {
    await using home = await openScene()
    const options = JSON.parse(await home.house.options())
    expect(options).toMatchObject({
      rpId: 'id.example.test',
      userVerification: 'required',
      allowCredentials: [],
    })
    expect(Buffer.from(options.challenge, 'base64url')).toHaveLength(32)
  })

  it('names the passkeys of a person who is known, and needs no user handle from them', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    const by = { userId: anna.id }
    expect(JSON.parse(await house.options(by)).allowCredentials).toMatchObject([
      { id: device.passkeys[0]?.id, transports: ['internal'] },
    ])
    expect(await house.signIn(device, by, { ...here, userHandle: null })).toMatchObject({ userId: anna.id })
  })

  it('gives each page a challenge of its own, and a reload puts a new one in the place of the old', async () => {
    await using home = await openScene()
    const { house, device } = home
    const first = await house.options()
    const second = await house.options()
    expect(JSON.parse(first).challenge).not.toBe(JSON.parse(second).challenge)
    const credential = device.get(first, here)
    await expect(house.factor.finish(attempt(), { credential })).rejects.toMatchObject(refused)
  })

  it('remembers when a passkey was last used, and whether it is backed up', async () => {
    await using home = await openScene({ counts: false, backupEligible: true })
    const { house, device } = home
    house.clock.advance(60)
    await house.signIn(device, {}, { ...here, backedUp: false })
    expect(await house.storage.db.passkey.findFirst()).toMatchObject({
      lastUsedAt: house.clock.now(),
      backedUp: false,
      multiDevice: true,
    })
  })

  it('knows the device afterwards, so that strangers cannot lock its owner out of it', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    await house.signIn(device, { device: 'a device of Anna' })
    expect(await house.storage.db.knownDevice.count({ where: { userId: anna.id } })).toBe(1)
  })
})

describe('an assertion that must prove nothing', () => {
  it('is one that was used before', async () => {
    await using home = await openScene()
    const { house, device } = home
    const credential = device.get(await house.options(), here)
    await house.factor.finish(attempt(), { credential })
    await expect(house.factor.finish(attempt(), { credential })).rejects.toMatchObject(tooOld)
    await house.options()
    await expect(house.factor.finish(attempt(), { credential })).rejects.toMatchObject(refused)
  })

  const lies: readonly (readonly [string, Manner])[] = [
    ['from another origin', { origin: 'https://id.example.test.evil.test' }],
    ['from the same host by http', { origin: 'http://id.example.test' }],
    ['from another port', { origin: 'https://id.example.test:8443' }],
    ['for another relying party', { ...here, rpId: 'evil.test' }],
    ['for the parent domain', { ...here, rpId: 'example.test' }],
    ['without user verification', { ...here, userVerified: false }],
    ['without user presence', { ...here, userPresent: false }],
    ['for another challenge', { ...here, challenge: 'AAAA' }],
    ['for an empty challenge', { ...here, challenge: '' }],
    ['of the other ceremony', { ...here, type: 'webauthn.create' }],
    ['made in a frame of another site', { ...here, crossOrigin: true }],
    ['made below a page of another site', { ...here, topOrigin: 'https://evil.test' }],
    ['of another kind of device than before', { ...here, backupEligible: true }],
    ['backed up without being able to be', { ...here, backedUp: true }],
    ['without a user handle where nobody is known', { ...here, userHandle: null }],
    [
      'with the user handle of somebody else',
      { ...here, userHandle: Buffer.alloc(64, 1).toString('base64url') },
    ],
    [
      'signed by another key',
      { ...here, key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey },
    ],
  ]

  it.each(lies)('is one %s', async (_name, manner) => {
    await using home = await openScene()
    const { house, device, anna } = home
    await expect(house.signIn(device, {}, manner)).rejects.toMatchObject(refused)
    expect(await eventsOf(house, 'passkeys.refused')).toMatchObject([{ userId: anna.id, outcome: 'failure' }])
    expect(await house.storage.db.passkey.findFirst()).toMatchObject({ lastUsedAt: null })
    expect(await house.signIn(device)).toMatchObject({ userId: anna.id })
  })

  it('is one for the challenge of another sign-in', async () => {
    await using home = await openScene()
    const { house, device } = home
    const credential = device.get(await house.options({ id: 'of another browser' }), here)
    await expect(house.factor.finish(attempt(), { credential })).rejects.toMatchObject(tooOld)
    await house.options()
    await expect(house.factor.finish(attempt(), { credential })).rejects.toMatchObject(refused)
  })

  it('is one after its challenge has expired', async () => {
    await using home = await openScene()
    const { house, device } = home
    const credential = device.get(await house.options(), here)
    house.clock.advance(1_800)
    await expect(house.factor.finish(attempt(), { credential })).rejects.toMatchObject(tooOld)
  })

  it('is one by somebody else than whom the sign-in is about', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    const bert = await house.person({ username: 'bert' })
    const by = { userId: bert.id }
    const options = JSON.parse(await house.options(by))
    const credential = device.get(JSON.stringify({ ...options, allowCredentials: [] }), here)
    await expect(house.factor.finish(attempt(by), { credential })).rejects.toMatchObject(refused)
    // Nor does a page that was made for one person count for another, or for nobody.
    const own = device.get(await house.options({ userId: anna.id }), here)
    await expect(house.factor.finish(attempt(by), { credential: own })).rejects.toMatchObject(refused)
    const forBert = device.get(
      JSON.stringify({ ...JSON.parse(await house.options(by)), allowCredentials: [] }),
      here,
    )
    await expect(house.factor.finish(attempt(), { credential: forBert })).rejects.toMatchObject(refused)
  })

  it('is one with the key of one person under the passkey of another', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    const bert = await house.person({ username: 'bert' })
    const { device: ofBert } = await house.withPasskey(bert)
    const key = ofBert.passkeys[0]?.privateKey
    await expect(house.signIn(device, {}, { ...here, ...(key && { key }) })).rejects.toMatchObject(refused)
    const handle = ofBert.passkeys[0]?.userHandle ?? ''
    await expect(house.signIn(device, {}, { ...here, userHandle: handle })).rejects.toMatchObject(refused)
    expect(await house.signIn(device)).toMatchObject({ userId: anna.id })
  })

  it('is one of a disabled user, and says no more than for an unknown passkey', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    const stranger = newAuthenticator()
    stranger.create(
      JSON.stringify({ challenge: '', rp: { id: 'id.example.test' }, user: { id: 'AAAA' } }),
      here,
    )
    const unknown = await house.signIn(stranger).catch((error: unknown) => error)
    await house.users.disable(anna.id, change)
    const disabled = await house.signIn(device).catch((error: unknown) => error)
    expect(disabled).toMatchObject(refused)
    expect(String(disabled)).toBe(String(unknown))
  })

  it('is one of a user who is disabled while his signature is checked', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    const credential = device.get(await house.options(), here)
    const [outcome] = await Promise.allSettled([
      house.factor.finish(attempt(), { credential }),
      house.users.disable(anna.id, change),
    ])
    const row = await house.storage.db.passkey.findFirst()
    expect(outcome.status === 'fulfilled').toBe(row?.lastUsedAt !== null)
    await expect(house.signIn(device)).rejects.toMatchObject(refused)
  })

  it('is one made for the domain the server had before', async () => {
    await using home = await openScene()
    const { house, device } = home
    await house.storage.db.passkey.updateMany({ data: { rpId: 'old.example.test' } })
    await expect(house.signIn(device)).rejects.toMatchObject(refused)
  })

  it('counts only once of twenty sent at the same time', async () => {
    await using home = await openScene()
    const { house, device } = home
    const other = await house.openAnother()
    const credential = device.get(await house.options(), here)
    const counts = await tally(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? house : other).factor.finish(attempt(), { credential }),
      ),
    )
    expect(counts).toEqual({ success: 1, 'passkeys.page_too_old': 19 })
  })
})

describe('the counter of an authenticator', () => {
  it('must grow; one that does not is refused and told to the owner', async () => {
    await using home = await openScene()
    const { house, anna, device } = home
    await house.signIn(device, {}, { ...here, counter: 7 })
    house.mails.length = 0
    for (const counter of [7, 6, 0])
      await expect(house.signIn(device, {}, { ...here, counter })).rejects.toMatchObject(refused)
    expect(house.mails.map(({ to, text }) => [to, text?.key])).toEqual(
      Array.from({ length: 3 }, () => ['anna@example.test', 'notice.passkey-copied']),
    )
    expect(await eventsOf(house, 'passkeys.counter_regressed')).toHaveLength(3)
    expect(await house.storage.db.passkey.findFirst()).toMatchObject({ counter: 7n })
    expect(await house.signIn(device, {}, { ...here, counter: 8 })).toMatchObject({ userId: anna.id })
  })

  it('may stay zero where there is none', async () => {
    await using home = await openScene({ counts: false })
    await home.house.signIn(home.device)
    expect(await home.house.signIn(home.device)).toMatchObject({ userId: home.anna.id })
    expect(home.house.mails.map(({ text }) => text?.key)).toEqual(['notice.passkey-added'])
  })

  it('lets one of two copies through that say the same number at the same time', async () => {
    await using home = await openScene()
    const { house, device } = home
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const by = { id: `sign-in ${index}`, request: { ...request, address: `192.0.2.${index}` } }
        return { by, credential: device.get(await house.options(by), { ...here, counter: 9 }) }
      }),
    )
    const counts = await tally(
      answers.map(({ by, credential }) => house.factor.finish(attempt(by), { credential })),
    )
    expect(counts).toEqual({ success: 1, 'passkeys.refused': 19 })
  })
})
