import { deflateRawSync } from 'node:zlib'
import { CompactEncrypt, generateKeyPair, importJWK, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { encode, signWith, unsigned } from '../support/client-keys.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { relyingParty } from '../support/relying-party.ts'
import { type Changes, openSignedRequests, refused, type SignedRequests } from '../support/signed-requests.ts'

describe('encrypted authorization requests (RFC 9101 §6.1)', () => {
  let jar: SignedRequests
  let latchkey: SignedRequests['latchkey']
  let own: SignedRequests['own']
  let attacker: SignedRequests['attacker']
  let shop: SignedRequests['shop']
  let claims: SignedRequests['claims']
  let frontDoor: SignedRequests['frontDoor']
  let push: SignedRequests['push']
  let bothWays: SignedRequests['bothWays']

  beforeAll(async () => {
    jar = await openSignedRequests()
    ;({ latchkey, own, attacker, shop, claims, frontDoor, push, bothWays } = jar)
  })
  afterAll(() => jar[Symbol.asyncDispose]())

  describe('encrypted for the server', () => {
    const serverKey = async (kty: string) => {
      const { keys } = (await (await fetch(`${latchkey.issuer}/jwks`)).json()) as JSONWebKeySet
      const found = keys.find((key) => key.use === 'enc' && key.kty === kty)
      if (found === undefined) throw new Error(`no ${kty} key`)
      return found
    }
    interface Lock {
      readonly alg: string
      readonly enc?: string
      readonly header?: Changes
    }
    const encrypt = async (text: string, { alg, enc = 'A256GCM', header = {} }: Lock): Promise<string> => {
      const jwk = await serverKey(alg.startsWith('RSA') ? 'RSA' : 'EC')
      return await new CompactEncrypt(Buffer.from(text))
        .setProtectedHeader({
          alg,
          enc,
          cty: 'oauth-authz-req+jwt',
          ...(jwk.kid && { kid: jwk.kid }),
          ...header,
        })
        .encrypt((await importJWK(jwk, alg)) as CryptoKey)
    }

    it.each([
      ['RSA-OAEP-256', 'A256GCM'],
      ['RSA-OAEP-256', 'A128CBC-HS256'],
      ['ECDH-ES', 'A128GCM'],
      ['ECDH-ES+A256KW', 'A256CBC-HS512'],
    ])('are read with %s and %s, by value and pushed', async (alg, enc) => {
      const request = await encrypt(await signWith(own, claims()), { alg, enc })
      expect(await frontDoor(request)).toBe('taken')
      expect((await push(request))[0]).toBe(201)
    })

    it('have to be signed all the same', async () => {
      const lock = { alg: 'RSA-OAEP-256' }
      expect(await bothWays(await encrypt(unsigned(claims()), lock))).toEqual(refused)
      expect(await bothWays(await encrypt(JSON.stringify(claims()), lock))).toEqual(refused)
      expect(await bothWays(await encrypt(await signWith(attacker, claims()), lock))).toEqual(refused)
      expect(await bothWays(await encrypt(await encrypt(await signWith(own, claims()), lock), lock))).toEqual(
        refused,
      )
    })

    it('are refused where they are for another key, or by a way that is not offered', async () => {
      const signed = await signWith(own, claims())
      const { publicKey } = await generateKeyPair('RSA-OAEP-256')
      const foreign = await new CompactEncrypt(Buffer.from(signed))
        .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
        .encrypt(publicKey)
      expect(await bothWays(foreign)).toEqual(refused)
      const secret = new TextEncoder().encode(shop.client.secret.slice(0, 32).padEnd(32))
      for (const alg of ['dir', 'A256KW', 'A256GCMKW']) {
        const symmetric = await new CompactEncrypt(Buffer.from(signed))
          .setProtectedHeader({ alg, enc: 'A256GCM' })
          .encrypt(secret)
        expect(await bothWays(symmetric)).toEqual(refused)
      }
      const jwk = await serverKey('RSA')
      const sha1 = (await importJWK({ ...jwk, alg: 'RSA-OAEP' }, 'RSA-OAEP')) as CryptoKey
      const old = await new CompactEncrypt(Buffer.from(signed))
        .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM' })
        .encrypt(sha1)
      expect(await bothWays(old)).toEqual(refused)
      const password = await new CompactEncrypt(Buffer.from(signed))
        .setProtectedHeader({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM' })
        .setKeyManagementParameters({ p2c: 1_000 })
        .encrypt(secret)
      expect(await bothWays(password)).toEqual(refused)
    })

    it('are not inflated: a small text that becomes a large one is refused', async () => {
      const bomb = deflateRawSync(Buffer.alloc(20_000_000, '.'))
      expect(bomb.length).toBeLessThan(30_000)
      const jwk = await serverKey('EC')
      const recipient = (await importJWK(jwk, 'ECDH-ES')) as CryptoKey
      const request = await new CompactEncrypt(bomb)
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
        .encrypt(recipient)
      const [header = '', ...rest] = request.split('.')
      const inflating = encode({ ...JSON.parse(Buffer.from(header, 'base64url').toString()), zip: 'DEF' })
      const began = performance.now()
      expect((await push([inflating, ...rest].join('.')))[1]).toBe('invalid_request_object')
      expect(performance.now() - began).toBeLessThan(2_000)
      const honest = await new CompactEncrypt(Buffer.from(await signWith(own, claims())))
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', zip: 'DEF' })
        .encrypt(recipient)
      expect((await push(honest))[1]).toBe('invalid_request_object')
    })

    it('are refused where what is inside is deep', async () => {
      const deep = '['.repeat(9_000) + ']'.repeat(9_000)
      const [header] = (await signWith(own, claims())).split('.')
      const inside = `${header}.${encode(JSON.stringify(claims()).replace(/\}$/, `,"x":${deep}}`))}.AAAA`
      expect((await push(await encrypt(inside, { alg: 'ECDH-ES' })))[1]).toBe('invalid_request_object')
    })

    it('are refused where the client has registered another way', async () => {
      const party = await relyingParty(latchkey, {
        authentication: 'client_secret_basic',
        jwks: { keys: [own.publicJwk] },
        requestObjectEncryptionAlg: 'RSA-OAEP-256',
        requestObjectEncryptionEnc: 'A256GCM',
      })
      const signed = () => signWith(own, claims({ iss: party.client.id, client_id: party.client.id }))
      const answer = async (lock: Lock) => (await push(await encrypt(await signed(), lock), party))[0]
      expect(await answer({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })).toBe(201)
      expect(await answer({ alg: 'RSA-OAEP-256', enc: 'A128GCM' })).toBe(400)
      expect(await answer({ alg: 'ECDH-ES', enc: 'A256GCM' })).toBe(400)
    })

    it('are read with the key before, once it has been replaced and is published no more', async () => {
      await using other = await startLatchkey()
      const party = await relyingParty(other, {
        authentication: 'client_secret_basic',
        jwks: { keys: [own.publicJwk] },
      })
      const { keys } = (await (await fetch(`${other.issuer}/jwks`)).json()) as JSONWebKeySet
      const jwk = keys.find(({ use, kty }) => use === 'enc' && kty === 'RSA')
      const payload = claims({ iss: party.client.id, client_id: party.client.id, aud: other.issuer })
      const request = await new CompactEncrypt(Buffer.from(await signWith(own, payload)))
        .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: jwk?.kid ?? '' })
        .encrypt((await importJWK(jwk ?? {}, 'RSA-OAEP-256')) as CryptoKey)
      const rotate = other.app.features.signingKeys.commands?.find(
        ({ words }) => words.join(' ') === 'keys rotate',
      )
      await rotate?.run({ immediately: true })
      await vi.waitFor(async () => {
        const now = (await (await fetch(`${other.issuer}/jwks`)).json()) as JSONWebKeySet
        expect(now.keys.map(({ kid }) => kid)).not.toContain(jwk?.kid)
      })
      const response = await fetch(`${other.issuer}/request`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${party.client.id}:${party.client.secret}`)}` },
        body: new URLSearchParams({ request }),
      })
      expect(response.status).toBe(201)
    })
  })
})
