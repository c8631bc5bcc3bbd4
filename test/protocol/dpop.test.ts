import { createHash, randomUUID } from 'node:crypto'
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type RelyingParty, relyingParty, type Tokens } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const seconds = (): number => Math.floor(Date.now() / 1000)
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

type Header = Readonly<Record<string, unknown>> & { readonly alg: string }
const sign = (claims: JWTPayload, header: Header, key: CryptoKey | Uint8Array): Promise<string> =>
  new SignJWT(claims).setProtectedHeader(header).sign(key)

describe('a DPoP proof', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let key: GenerateKeyPairResult
  let attacker: GenerateKeyPairResult
  let bound: Tokens

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true })
    key = await generateKeyPair('ES256', { extractable: true })
    attacker = await generateKeyPair('ES256', { extractable: true })
    const request = await shop.request()
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const { location } = await visitor.get(request.url)
    bound = await shop.redeem(request, location, { DPoP: openid.getDPoPHandle(shop.configuration, key) })
  })
  afterAll(() => latchkey.close())

  const proof = async (
    changes: Readonly<Record<string, unknown>> = {},
    signer: GenerateKeyPairResult = key,
    header: Readonly<Record<string, unknown>> = {},
  ): Promise<string> => {
    const ath = createHash('sha256').update(bound.access_token).digest('base64url')
    const claims = {
      htm: 'GET',
      htu: `${latchkey.issuer}/me`,
      iat: seconds(),
      jti: randomUUID(),
      ath,
      ...changes,
    }
    return await sign(
      claims,
      { typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(signer.publicKey), ...header },
      signer.privateKey,
    )
  }
  const me = async (dpop: string | undefined, scheme = 'DPoP'): Promise<number> =>
    (
      await fetch(`${latchkey.issuer}/me`, {
        headers: { authorization: `${scheme} ${bound.access_token}`, ...(dpop && { dpop }) },
      })
    ).status

  it('opens userinfo for the holder of the key', async () => {
    expect(bound.token_type).toBe('dpop')
    const DPoP = openid.getDPoPHandle(shop.configuration, key)
    const sub = bound.claims()?.sub ?? ''
    expect(await openid.fetchUserInfo(shop.configuration, bound.access_token, sub, { DPoP })).toMatchObject({
      sub,
      email: ada.email,
    })
    expect(await me(await proof())).toBe(200)
  })

  it('is needed: the token alone opens nothing, under either scheme', async () => {
    expect(await me(undefined)).toBe(400)
    expect(await me(undefined, 'Bearer')).toBe(401)
    expect(await me(await proof(), 'Bearer')).toBe(400)
  })

  it('of another key, or with another key in it than signed it, opens nothing', async () => {
    expect(await me(await proof({}, attacker))).toBe(401)
    expect(await me(await proof({}, attacker, { jwk: await exportJWK(key.publicKey) }))).toBe(401)
  })

  it.each([
    ['another method', { htm: 'POST' }],
    ['another address', { htu: 'https://evil.test/me' }],
    ['another path', { htu: 'http://localhost/token' }],
    ['another token', { ath: createHash('sha256').update('other').digest('base64url') }],
    ['no token', { ath: undefined }],
    ['another time', { iat: seconds() - 3600 }],
    ['the future', { iat: seconds() + 3600 }],
    ['no identifier', { jti: undefined }],
  ])('for %s opens nothing', async (_what, changes) => {
    expect(await me(await proof(changes))).toBe(401)
  })

  it('that is no proof, or not signed, opens nothing', async () => {
    expect(await me(await proof({}, key, { typ: 'JWT' }))).toBe(401)
    const [, payload] = (await proof()).split('.')
    expect(
      await me(
        `${encode({ typ: 'dpop+jwt', alg: 'none', jwk: await exportJWK(key.publicKey) })}.${payload}.`,
      ),
    ).toBe(401)
    const secret = { kty: 'oct', k: 'c2VjcmV0' }
    expect(
      await me(
        await sign(
          { htm: 'GET', jti: randomUUID() },
          { typ: 'dpop+jwt', alg: 'HS256', jwk: secret },
          new TextEncoder().encode('secret'),
        ),
      ),
    ).toBe(401)
  })

  it('binds a public client’s refresh token too', async () => {
    const app = await relyingParty(latchkey, { kind: 'spa', name: 'App', firstParty: true })
    const visitor = newVisitor()
    await app.signIn(visitor, ada)
    const request = await app.request()
    const DPoP = openid.getDPoPHandle(app.configuration, key)
    const tokens = await app.redeem(request, (await visitor.get(request.url)).location, { DPoP })
    const token = tokens.refresh_token ?? ''
    await expect(openid.refreshTokenGrant(app.configuration, token)).rejects.toMatchObject({ status: 400 })
    await expect(
      openid.refreshTokenGrant(app.configuration, token, undefined, {
        DPoP: openid.getDPoPHandle(app.configuration, attacker),
      }),
    ).rejects.toMatchObject({ status: 400 })
    expect(
      (await openid.refreshTokenGrant(app.configuration, token, undefined, { DPoP })).access_token,
    ).toBeDefined()
  })
})
