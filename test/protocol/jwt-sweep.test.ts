import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { exportJWK, exportSPKI, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json } from '../support/any-input.ts'
import { encode } from '../support/client-keys.ts'
import { type Claims, type JwtPlaces, openJwtPlaces, type Place } from '../support/jwt-places.ts'

const refused = /^(40[013] \w+|41[34]\b.*|431\b.*|led back: (invalid_request|invalid_request_object))$|^400$/
const now = (): number => Math.floor(Date.now() / 1000)
const hour = 3_600

type Attack = (house: JwtPlaces, place: Place) => Promise<string>

const unsigned = (place: Place, header: Claims, signature = ''): string =>
  `${encode({ ...place.header(), ...header })}.${encode(place.claims())}.${signature}`

const hmac = (text: string, key: string): string => {
  const [header = '', claims = ''] = text.split('.')
  return `${header}.${claims}.${createHmac('sha256', key).update(`${header}.${claims}`).digest('base64url')}`
}

const byStranger = async (place: Place, header: Claims = {}): Promise<string> => {
  const { privateKey } = await generateKeyPair('ES256')
  return await new (await import('jose')).SignJWT(place.claims())
    .setProtectedHeader({ ...place.header(), ...header } as { alg: string })
    .sign(privateKey)
}

/** What is wrong with it, at every place. */
const attacks: Readonly<Record<string, Attack>> = {
  'is not signed (none)': async (_house, place) => unsigned(place, { alg: 'none' }),
  'is not signed (NONE)': async (_house, place) => unsigned(place, { alg: 'NONE' }),
  'is signed with the public key as a secret': async ({ publicKey }, place) =>
    hmac(unsigned(place, { alg: 'HS256' }), await exportSPKI(publicKey)),
  'is signed with the public JWK as a secret': async ({ publicKey }, place) =>
    hmac(unsigned(place, { alg: 'HS256' }), JSON.stringify(await exportJWK(publicKey))),
  'is signed with no secret at all': async (_house, place) => hmac(unsigned(place, { alg: 'HS256' }), ''),
  'is signed by somebody else': (_house, place) => byStranger(place),
  'names another algorithm than its own': async ({ sign }, place) => {
    const [, claims, signature] = (await sign(place)).split('.')
    return `${encode({ ...place.header(), alg: 'RS256' })}.${claims}.${signature}`
  },
  'has other claims than were signed': async ({ sign }, place) => {
    const [header, , signature] = (await sign(place)).split('.')
    return `${header}.${encode({ ...place.claims(), admin: true })}.${signature}`
  },
  'has lost the end of its signature': async ({ sign }, place) => (await sign(place)).slice(0, -6),
  'has no signature': async ({ sign }, place) => (await sign(place)).replace(/[^.]+$/, ''),
  'has an extension that must be understood': ({ sign }, place) =>
    sign(place, {}, { crit: ['b64'], b64: true }).then((jwt) => {
      const [, claims, signature] = jwt.split('.')
      return `${encode({ ...place.header(), crit: ['x'], x: 1 })}.${claims}.${signature}`
    }),
  'ended an hour ago': ({ sign }, place) => sign(place, { iat: now() - 2 * hour, exp: now() - hour }),
  'begins in an hour': ({ sign }, place) =>
    sign(place, { iat: now() + hour, nbf: now() + hour, exp: now() + hour + 60 }),
  'has times that are text': ({ sign }, place) => sign(place, { iat: 'now', exp: 'later' }),
  'is longer than anything real': ({ sign }, place) => sign(place, { padding: 'x'.repeat(48_000) }),
  'is deeper than anything real': async (_house, place) => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
    return `${encode(place.header())}.${encode(`{"deep":${deep}}`)}.${'x'.repeat(86)}`
  },
  'is a list': async (_house, place) => `${encode(place.header())}.${encode([])}.${'x'.repeat(86)}`,
  'is no JSON': async (_house, place) => `${encode(place.header())}.${encode('{')}.${'x'.repeat(86)}`,
  'has five parts': async () => 'a.b.c.d.e',
  'is nothing but dots': async () => '..',
}

describe('a JWT', () => {
  let house: JwtPlaces
  const each = (work: (name: string, place: Place) => Promise<void>) => async () => {
    for (const [name, place] of Object.entries(house.places)) await work(name, place)
  }

  beforeAll(async () => {
    house = await openJwtPlaces()
  })
  afterAll(async () => {
    expect(house?.latchkey.logged.filter((line) => line.startsWith('{"level":"error"'))).toEqual([])
    await house[Symbol.asyncDispose]()
  })

  it(
    'that is right is taken, or only where it is ours',
    each(async (name, place) => {
      const told = await place.carry(await house.sign(place))
      expect([name, told]).toEqual([name, place.ownOnly ? expect.stringMatching(refused) : 'taken'])
    }),
  )

  it.each(Object.entries(attacks))('that %s is refused everywhere', async (_what, attack) => {
    const told: [string, string][] = []
    for (const [name, place] of Object.entries(house.places))
      told.push([name, await place.carry(await attack(house, place))])
    expect(told.filter(([, what]) => !refused.test(what))).toEqual([])
  })

  it(
    'that brings or names its own key is refused everywhere else than as a proof of that key',
    each(async (name, place) => {
      if (name === 'DPoP proof') return
      const { publicKey } = await generateKeyPair('ES256')
      for (const header of [
        { jwk: await exportJWK(publicKey) },
        { jku: 'http://localhost:1/jwks' },
        { x5u: 'http://localhost:1/certificate' },
        { kid: '../../../dev/null' },
      ])
        expect([name, await place.carry(await byStranger(place, header))]).toEqual([
          name,
          expect.stringMatching(refused),
        ])
    }),
  )

  it(
    'for somebody else is refused everywhere',
    each(async (name, place) => {
      const { audience } = place
      if (audience === undefined) return
      for (const other of ['https://elsewhere.test/token', '', [], { toString: 'x' }, null, 0]) {
        const told = await place.carry(await house.sign(place, { [audience]: other }))
        expect([name, other, told]).toEqual([name, other, expect.stringMatching(refused)])
      }
    }),
  )

  it(
    'that counts once is refused when it comes again, wherever it comes',
    each(async (name, place) => {
      if (!place.once) return
      const jwt = await house.sign(place)
      const told = [await place.carry(jwt), await place.carry(jwt)]
      expect([name, ...told]).toEqual([name, 'taken', expect.stringMatching(refused)])
    }),
  )

  it('of our own is taken nowhere but where its kind belongs', async () => {
    for (const [kind, token] of Object.entries(await house.ownTokens()))
      for (const [name, place] of Object.entries(house.places)) {
        if (kind === 'ID token' && name.startsWith('id_token_hint')) continue
        expect([kind, name, await place.carry(token)]).toEqual([kind, name, expect.stringMatching(refused)])
      }
  })

  it('of any shape is refused, and never a failure of the server', async () => {
    const part = fc.oneof(json.map(encode), fc.base64String({ maxLength: 40 }), fc.string({ maxLength: 40 }))
    const hostile = fc.oneof(
      fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.')),
      fc.tuple(json, json).map(([header, claims]) => `${encode(header)}.${encode(claims)}.c2lnbmVk`),
      fc
        .tuple(
          fc.dictionary(fc.constantFrom('alg', 'typ', 'kid', 'jwk', 'crit', 'b64', 'zip', 'enc'), json),
          json,
        )
        .map(([header, claims]) => `${encode({ alg: 'ES256', ...header })}.${encode(claims)}.c2lnbmVk`),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.values(house.places)), hostile, async (place, jwt) => {
        // No header can carry it (RFC 9110 §5.5), and what is empty was not sent.
        fc.pre(/^[\x21-\x7e]+$/.test(jwt))
        expect(await place.carry(jwt)).toMatch(refused)
      }),
      { numRuns: 300 },
    )
  })
})
