import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { encode, signWith } from '../support/client-keys.ts'
import { answered, relyingParty } from '../support/relying-party.ts'
import { openSignedRequests, outside, refused, type SignedRequests } from '../support/signed-requests.ts'
import { newVisitor } from '../support/visitor.ts'

describe('the limits of signed authorization requests (RFC 9101)', () => {
  let jar: SignedRequests
  let latchkey: SignedRequests['latchkey']
  let own: SignedRequests['own']
  let attacker: SignedRequests['attacker']
  let trap: SignedRequests['trap']
  let shop: SignedRequests['shop']
  let claims: SignedRequests['claims']
  let addressOf: SignedRequests['addressOf']
  let frontDoor: SignedRequests['frontDoor']
  let push: SignedRequests['push']
  let bothWays: SignedRequests['bothWays']

  beforeAll(async () => {
    jar = await openSignedRequests()
    ;({ latchkey, own, attacker, trap, shop, claims, addressOf, frontDoor, push, bothWays } = jar)
  })
  afterAll(() => jar[Symbol.asyncDispose]())

  describe('are refused', () => {
    it('where they contradict what stands beside them', async () => {
      const request = await signWith(own, claims())
      expect(await frontDoor(request, { ...outside, response_type: 'none' })).toBe('invalid_request_object')
      const other = await relyingParty(latchkey, { name: 'Other' })
      const page = await newVisitor().get(addressOf(request, { ...outside, client_id: other.client.id }))
      expect(answered(page.location).error).toBe('invalid_request_object')
    })

    it('where they are those of another client, though its key signed them', async () => {
      const other = await relyingParty(latchkey, {
        authentication: 'client_secret_basic',
        jwks: { keys: [attacker.publicJwk] },
      })
      expect((await push(await signWith(own, claims()), other))[1]).toBe('invalid_request_object')
      expect(await bothWays(await signWith(attacker, claims()))).toEqual(refused)
      const forged = await signWith(attacker, claims({ iss: other.client.id, client_id: shop.client.id }))
      expect(await bothWays(forged)).toEqual(refused)
    })

    it('of a client without keys, whoever signs', async () => {
      const keyless = await relyingParty(latchkey, {})
      const request = await signWith(own, claims({ iss: keyless.client.id, client_id: keyless.client.id }))
      expect((await push(request, keyless))[1]).toBe('invalid_request_object')
    })

    it('by reference, without anything being fetched', async () => {
      const page = await newVisitor().get(
        `${latchkey.issuer}/auth?${new URLSearchParams({ client_id: shop.client.id, request_uri: trap.url, ...outside })}`,
      )
      expect(answered(page.location).error).toBe('request_uri_not_supported')
      const body = new URLSearchParams({ request_uri: trap.url })
      const headers = { authorization: `Basic ${btoa(`${shop.client.id}:${shop.client.secret}`)}` }
      const pushed = await fetch(`${latchkey.issuer}/request`, { method: 'POST', headers, body })
      expect([pushed.status, trap.requests()]).toEqual([400, 0])
    })

    it('pushed a second time, and twenty times at once but for one', async () => {
      const request = await signWith(own, claims())
      expect((await push(request))[0]).toBe(201)
      expect(await push(request)).toEqual([400, 'invalid_request_object'])
      const another = await signWith(own, claims())
      const answers = await Promise.all(Array.from({ length: 20 }, () => push(another)))
      expect(answers.filter(([status]) => status === 201)).toHaveLength(1)
      expect(answers.filter(([status]) => status >= 500)).toEqual([])
      // Of another client the same identifier is another one.
      const jti = randomUUID()
      const other = await relyingParty(latchkey, {
        authentication: 'client_secret_basic',
        jwks: { keys: [attacker.publicJwk] },
      })
      const theirs = await signWith(
        attacker,
        claims({ jti, iss: other.client.id, client_id: other.client.id }),
      )
      expect((await push(theirs, other))[0]).toBe(201)
      expect((await push(await signWith(own, claims({ jti }))))[0]).toBe(201)
    })

    it('where a stranger burns identifiers in advance, which does not work', async () => {
      const jti = randomUUID()
      expect((await push(await signWith(attacker, claims({ jti }))))[0]).toBe(400)
      expect((await push(await signWith(own, claims({ jti }))))[0]).toBe(201)
    })

    it('where they are large or deep, before anybody reads them', async () => {
      const nest = (depth: number, text = '1'): string => '['.repeat(depth) + text + ']'.repeat(depth)
      const claimed = (member: string): string => JSON.stringify(claims()).replace(/\}$/, `,${member}}`)
      for (const depth of [33, 5_000, 15_000]) {
        for (const member of [
          `"claims":${nest(depth)}`,
          `"x":${nest(depth)}`,
          `"authorization_details":${nest(depth)}`,
        ]) {
          const [header] = (await signWith(own, claims())).split('.')
          const deep = `${header}.${encode(claimed(member))}.AAAA`
          expect((await push(deep))[1]).toBe('invalid_request_object')
        }
        const header = encode(`{"alg":"ES256","x":${nest(depth)}}`)
        expect((await push(`${header}.${encode(claims())}.AAAA`))[1]).toBe('invalid_request_object')
      }
      const large = await signWith(own, claims({ padding: 'x'.repeat(40_000) }))
      expect((await push(large))[1]).toBe('invalid_request_object')
      expect(await frontDoor(await signWith(own, claims({ padding: nest(40) })))).toBe('taken')
    })

    it('where claims beside no request object are nested deeply', async () => {
      const claimsParameter = `{"id_token":{"email":{"value":${'['.repeat(40)}${']'.repeat(40)}}}}`
      const { url } = await shop.request({ claims: claimsParameter })
      expect(answered((await newVisitor().get(url)).location).error).toBe('invalid_request')
      const pushed = await fetch(`${latchkey.issuer}/request`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${shop.client.id}:${shop.client.secret}`)}` },
        body: new URLSearchParams({ ...outside, claims: `{"id_token":{"a":${'['.repeat(20_000)}` }),
      })
      expect([pushed.status, await pushed.json()]).toMatchObject([400, { error: 'invalid_request' }])
    })

    it('once the key is no longer the client’s', async () => {
      const party = await relyingParty(latchkey, {
        authentication: 'client_secret_basic',
        jwks: { keys: [attacker.publicJwk] },
      })
      const request = () => signWith(attacker, claims({ iss: party.client.id, client_id: party.client.id }))
      expect((await push(await request(), party))[0]).toBe(201)
      const { resource } = latchkey.app.features.clients
      const item = await resource.find(party.client.id)
      if (item === undefined) throw new Error('gone')
      await resource.update(item, { jwks: { keys: [own.publicJwk] } }, commandLineActor)
      await vi.waitFor(async () => expect((await push(await request(), party))[0]).toBe(400))
    })
  })
})
