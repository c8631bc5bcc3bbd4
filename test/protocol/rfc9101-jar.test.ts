import { exportJWK, exportSPKI, importJWK, SignJWT } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClientKey, encode, seconds, signWith, unsigned } from '../support/client-keys.ts'
import { answered, relyingParty, walkThrough } from '../support/relying-party.ts'
import {
  ada,
  type Changes,
  openSignedRequests,
  outside,
  refused,
  type SignedRequests,
} from '../support/signed-requests.ts'
import { newVisitor } from '../support/visitor.ts'

describe('signed authorization requests (RFC 9101)', () => {
  let jar: SignedRequests
  let latchkey: SignedRequests['latchkey']
  let own: SignedRequests['own']
  let rsa: SignedRequests['rsa']
  let attacker: SignedRequests['attacker']
  let trap: SignedRequests['trap']
  let shop: SignedRequests['shop']
  let verifier: SignedRequests['verifier']
  let claims: SignedRequests['claims']
  let addressOf: SignedRequests['addressOf']
  let frontDoor: SignedRequests['frontDoor']
  let push: SignedRequests['push']
  let bothWays: SignedRequests['bothWays']

  beforeAll(async () => {
    jar = await openSignedRequests()
    ;({ latchkey, own, rsa, attacker, trap, shop, verifier, claims, addressOf, frontDoor, push, bothWays } =
      jar)
  })
  afterAll(() => jar[Symbol.asyncDispose]())

  describe('are taken', () => {
    it.each(['ES256', 'RS256'])('by value, signed with %s, and lead to tokens', async (alg) => {
      const request = await signWith(alg === 'ES256' ? own : rsa, claims())
      const location = await walkThrough(newVisitor(), addressOf(request), ada)
      expect(answered(location).state).toBe('inside')
      const tokens = await openid.authorizationCodeGrant(shop.configuration, new URL(location), {
        pkceCodeVerifier: verifier,
        expectedState: 'inside',
        expectedNonce: 'the nonce',
      })
      expect(tokens.claims()?.sub).toBeDefined()
    })

    it('pushed, by openid-client, which signs them itself', async () => {
      const { url } = await shop.request()
      const plain = new URL(url).searchParams
      const signedUrl = await openid.buildAuthorizationUrlWithJAR(shop.configuration, plain, {
        key: own.privateKey,
        kid: own.kid,
      })
      const request = signedUrl.searchParams.get('request') ?? ''
      const pushed = await openid.buildAuthorizationUrlWithPAR(shop.configuration, { request })
      expect(pushed.searchParams.get('request_uri')).toMatch(/^urn:ietf:params:oauth:request_uri:/)
      const location = await walkThrough(newVisitor(), pushed.href, ada)
      expect(answered(location)).toMatchObject({ code: expect.any(String), state: plain.get('state') })
    })

    it('from a clock that is a little off, and again when the page is loaded anew', async () => {
      const ahead = await signWith(own, claims({ iat: seconds() + 10, nbf: seconds() + 10 }))
      const behind = await signWith(own, claims({ exp: seconds() - 10 }))
      expect([await frontDoor(ahead), await frontDoor(behind), await frontDoor(ahead)]).toEqual([
        'taken',
        'taken',
        'taken',
      ])
    })

    it('and nothing beside them counts: not a scope, not a redirect URI, not a state', async () => {
      const request = await signWith(own, claims({ scope: 'openid' }))
      const more = {
        ...outside,
        scope: 'openid email profile',
        prompt: 'none',
        login_hint: 'eve@example.test',
      }
      const page = await newVisitor().get(addressOf(request, more))
      // Outside it asked for no page at all; inside it did not.
      expect(page.location).toMatch(/\/interaction\//)
      const location = await walkThrough(newVisitor(), addressOf(request, more), ada)
      expect(answered(location).state).toBe('inside')
      const tokens = await openid.authorizationCodeGrant(shop.configuration, new URL(location), {
        pkceCodeVerifier: verifier,
        expectedState: 'inside',
        expectedNonce: 'the nonce',
      })
      expect(tokens.scope).toBe('openid')
    })
  })

  describe('are refused', () => {
    it('without a signature, or with that of something else', async () => {
      expect(await bothWays(unsigned(claims()))).toEqual(refused)
      expect(await bothWays(unsigned(claims(), { alg: 'None' }))).toEqual(refused)
      const [header, payload, signature] = (await signWith(own, claims())).split('.')
      expect(await bothWays(`${header}.${payload}.`)).toEqual(refused)
      expect(await bothWays(`${header}.${encode(claims({ scope: 'openid phone' }))}.${signature}`)).toEqual(
        refused,
      )
    })

    it('signed with the public key as a shared secret, or with the secret of the client', async () => {
      const secrets = [
        await exportSPKI(own.publicKey),
        await exportSPKI(rsa.publicKey),
        JSON.stringify(own.publicJwk),
        shop.client.secret,
      ]
      for (const secret of secrets) {
        for (const kid of [own.kid, rsa.kid, undefined]) {
          const request = await new SignJWT(claims())
            .setProtectedHeader({ alg: 'HS256', ...(kid && { kid }) })
            .sign(new TextEncoder().encode(secret.padEnd(32)))
          expect(await bothWays(request)).toEqual(refused)
        }
      }
    })

    it('signed by another algorithm than the key is for', async () => {
      const privateJwk = { ...(await exportJWK(rsa.privateKey)), alg: 'PS256' }
      const key = (await importJWK(privateJwk, 'PS256')) as CryptoKey
      expect(
        await bothWays(await signWith({ privateKey: key, kid: rsa.kid, alg: 'PS256' }, claims())),
      ).toEqual(refused)
    })

    it('signed by another algorithm than the client has registered', async () => {
      const strict = await relyingParty(latchkey, {
        authentication: 'client_secret_basic',
        jwks: { keys: [own.publicJwk, rsa.publicJwk] },
        requestObjectSigningAlg: 'ES256',
      })
      const of = (key: ClientKey) =>
        signWith(key, claims({ iss: strict.client.id, client_id: strict.client.id }))
      expect((await push(await of(own), strict))[0]).toBe(201)
      expect((await push(await of(rsa), strict))[1]).toBe('invalid_request_object')
    })

    it('with a key that they bring along or point to', async () => {
      const members = [
        { jwk: attacker.publicJwk },
        { jku: trap.url },
        { x5u: trap.url },
        { x5c: ['MIIB'] },
        { jku: trap.url, kid: attacker.kid, jwk: attacker.publicJwk },
      ]
      for (const header of members)
        expect(await bothWays(await signWith({ ...attacker, kid: own.kid }, claims(), header))).toEqual(
          refused,
        )
      expect(trap.requests()).toBe(0)
    })

    it('with an extension that must be understood', async () => {
      const request = await new SignJWT(claims())
        .setProtectedHeader({
          alg: 'ES256',
          kid: own.kid,
          crit: ['https://example.test/x'],
          'https://example.test/x': 1,
        })
        .sign(own.privateKey, { crit: { 'https://example.test/x': true } })
      expect(await bothWays(request)).toEqual(refused)
    })

    it.each<[string, () => Changes]>([
      ['is for another server', () => ({ aud: 'https://other.example.test' })],
      ['is for nobody', () => ({ aud: undefined })],
      ['is from another client', () => ({ iss: 'other' })],
      ['is from nobody', () => ({ iss: undefined })],
      ['has expired', () => ({ exp: seconds() - 60 })],
      ['never expires', () => ({ exp: undefined })],
      ['is valid for a day', () => ({ exp: seconds() + 86_400 })],
      ['expires in words', () => ({ exp: 'tomorrow' })],
      ['is not valid yet', () => ({ nbf: seconds() + 60 })],
      ['is from the future', () => ({ iat: seconds() + 600 })],
      ['is two hours old', () => ({ iat: seconds() - 7_200 })],
      ['has been valid for two hours', () => ({ nbf: seconds() - 7_200 })],
      ['is a client assertion', () => ({ sub: shop.client.id })],
      ['holds another request', () => ({ request: 'x.y.z' })],
      ['points to another request', () => ({ request_uri: 'https://shop.example.test/r' })],
      ['has a state that is no text', () => ({ state: { toString: 1, valueOf: 1 } })],
      ['has a scope that is no text', () => ({ scope: [['openid']] })],
      ['has resources that are no text', () => ({ resource: [{}, null] })],
    ])('where the request %s', async (_what, changes) => {
      expect(await bothWays(await signWith(own, claims(changes())))).toEqual(refused)
    })

    it('where they say that they are something else', async () => {
      for (const typ of ['at+jwt', 'dpop+jwt', 'logout+jwt', 'client-authentication+jwt', 1])
        expect(await bothWays(await signWith(own, claims(), { typ }))).toEqual(refused)
      for (const typ of ['oauth-authz-req+jwt', 'application/oauth-authz-req+jwt', 'JWT'])
        expect(await frontDoor(await signWith(own, claims(), { typ }))).toBe('taken')
    })
  })
})
