import { randomUUID } from 'node:crypto'
import {
  exportJWK,
  exportSPKI,
  type GenerateKeyPairResult,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KeyServer, startKeyServer } from '../support/key-server.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { answered, type RelyingParty, relyingParty, type Tokens } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const seconds = (): number => Math.floor(Date.now() / 1000)
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const unsigned = (claims: JWTPayload): string => `${encode({ alg: 'none' })}.${encode(claims)}.`

type Header = Readonly<Record<string, unknown>> & { readonly alg: string }
const sign = (claims: JWTPayload, header: Header, key: CryptoKey | Uint8Array): Promise<string> =>
  new SignJWT(claims).setProtectedHeader(header).sign(key)

describe('signatures', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let service: CreatedClient
  let own: GenerateKeyPairResult
  let attacker: GenerateKeyPairResult
  let attackerJwk: JWK
  /** Somebody else's server with somebody else's keys. */
  let trap: KeyServer

  beforeAll(async () => {
    // Private addresses are allowed, so that only the rule under test keeps the server from the trap.
    latchkey = await startLatchkey({ environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' } })
    await latchkey.createUser(ada)
    own = await generateKeyPair('ES256', { extractable: true })
    attacker = await generateKeyPair('ES256', { extractable: true })
    attackerJwk = await exportJWK(attacker.publicKey)
    trap = await startKeyServer()
    trap.publish([{ ...attackerJwk, kid: 'own' }])
    service = await latchkey.createClient({
      kind: 'service',
      name: 'Importer',
      jwks: { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'own' }] },
    })
    shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true })
  })
  afterAll(async () => {
    await trap.close()
    await latchkey.close()
  })

  describe('of a client assertion', () => {
    const claims = (changes: Readonly<Record<string, unknown>> = {}): JWTPayload => ({
      iss: service.id,
      sub: service.id,
      aud: latchkey.issuer,
      jti: randomUUID(),
      iat: seconds(),
      exp: seconds() + 60,
      ...changes,
    })
    const present = async (assertion: string): Promise<unknown> => {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: service.id,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      })
      const response = await fetch(`${latchkey.issuer}/token`, { method: 'POST', body })
      return [response.status, ((await response.json()) as { error?: string }).error]
    }
    const accepted = [200, undefined]
    const refused = [401, 'invalid_client']
    const good: Header = { alg: 'ES256', kid: 'own' }

    it('are accepted from the registered key alone', async () => {
      expect(await present(await sign(claims(), good, own.privateKey))).toEqual(accepted)
      expect(await present(await sign(claims(), good, attacker.privateKey))).toEqual(refused)
    })

    it('are not left out', async () => {
      expect(await present(unsigned(claims()))).toEqual(refused)
      const [header, payload] = (await sign(claims(), good, own.privateKey)).split('.')
      expect(await present(`${header}.${payload}.`)).toEqual(refused)
      const [, , signature] = (await sign(claims(), good, own.privateKey)).split('.')
      expect(await present(`${header}.${payload}.${signature}`)).toEqual(refused)
    })

    it('are not made with the public key as a shared secret', async () => {
      const publicJwk = await exportJWK(own.publicKey)
      for (const secret of [await exportSPKI(own.publicKey), JSON.stringify(publicJwk), publicJwk.x ?? '']) {
        expect(
          await present(await sign(claims(), { alg: 'HS256', kid: 'own' }, new TextEncoder().encode(secret))),
        ).toEqual(refused)
      }
    })

    it('never come with their own key: jwk, jku, x5u and x5c are not looked at', async () => {
      const embedded = [
        { jwk: attackerJwk },
        { jku: trap.url },
        { x5u: trap.url },
        { x5c: ['MIIB'] },
        { jwk: attackerJwk, jku: trap.url, kid: 'other' },
      ]
      for (const members of embedded) {
        expect(await present(await sign(claims(), { ...good, ...members }, attacker.privateKey))).toEqual(
          refused,
        )
        expect(trap.requests()).toBe(0)
      }
    })

    it.each([
      ['has expired', { exp: seconds() - 60 }],
      ['is not valid yet', { nbf: seconds() + 3600 }],
      ['never expires', { exp: undefined }],
      ['has no identifier', { jti: undefined }],
      ['is for another server', { aud: 'https://other.example.test' }],
      ['is for nobody', { aud: undefined }],
      ['is from another client', { iss: 'other' }],
    ])('are not enough where the assertion %s', async (_what, changes) => {
      expect(await present(await sign(claims(changes), good, own.privateKey))).toEqual(refused)
    })

    it('are not enough to speak for another client', async () => {
      const other = await latchkey.createClient({
        kind: 'service',
        name: 'Other',
        jwks: { keys: [attackerJwk] },
      })
      expect(
        await present(
          await sign(claims({ iss: other.id, sub: other.id }), { alg: 'ES256' }, attacker.privateKey),
        ),
      ).toEqual([400, 'invalid_request'])
    })
  })

  describe('of an ID token as a hint', () => {
    const hintFrom = async (): Promise<{ tokens: Tokens; claims: JWTPayload }> => {
      const tokens = await shop.signIn(newVisitor(), ada)
      return { tokens, claims: tokens.claims() as unknown as JWTPayload }
    }
    const errors = async (hint: string): Promise<readonly unknown[]> => {
      const page = await newVisitor().get((await shop.request({ prompt: 'none', id_token_hint: hint })).url)
      const logout = await newVisitor().get(
        `${latchkey.issuer}/session/end?${new URLSearchParams({ id_token_hint: hint })}`,
      )
      return [answered(page.location).error, logout.status]
    }
    const refused = ['invalid_request', 400]

    it('are accepted where they are ours', async () => {
      const { tokens } = await hintFrom()
      expect(await errors(tokens.id_token ?? '')).toEqual(['login_required', 200])
    })

    it('are refused where they are nobody’s, a shared secret’s or a stranger’s', async () => {
      const { claims } = await hintFrom()
      const { keys } = (await (await fetch(`${latchkey.issuer}/jwks`)).json()) as { keys: JWK[] }
      const [rsa] = keys.filter(({ alg }) => alg === 'RS256')
      const pem = await exportSPKI((await importJWK({ ...rsa, alg: 'RS256' }, 'RS256')) as CryptoKey)
      const stranger = await generateKeyPair('RS256')
      const jwk = await exportJWK(stranger.publicKey)
      const kid = rsa?.kid ?? ''
      expect(await errors(unsigned(claims))).toEqual(refused)
      expect(await errors(await sign(claims, { alg: 'HS256', kid }, new TextEncoder().encode(pem)))).toEqual(
        refused,
      )
      expect(
        await errors(await sign(claims, { alg: 'HS256', kid }, new TextEncoder().encode(shop.client.secret))),
      ).toEqual(refused)
      for (const members of [{ kid }, { jwk }, { jku: trap.url, kid: 'own' }, { x5u: trap.url }]) {
        expect(await errors(await sign(claims, { alg: 'RS256', ...members }, stranger.privateKey))).toEqual(
          refused,
        )
      }
      expect(trap.requests()).toBe(0)
    })

    it('are refused where the token is for another application', async () => {
      const blog = await relyingParty(latchkey, { name: 'Blog', firstParty: true })
      const foreign = (await blog.signIn(newVisitor(), ada)).id_token ?? ''
      const page = await newVisitor().get(
        (await shop.request({ prompt: 'none', id_token_hint: foreign })).url,
      )
      expect(answered(page.location).error).toBe('invalid_request')
    })
  })
})
