import { compactDecrypt, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClientKey, clientKey, seconds } from '../support/client-keys.ts'
import { type KeyServer, startKeyServer } from '../support/key-server.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { answered, callbackUrl, relyingParty, walkThrough } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }

describe('authorization responses as JWTs (JARM)', () => {
  let latchkey: RunningLatchkey
  let rsa: ClientKey
  let ec: ClientKey
  let keyServer: KeyServer

  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' } })
    await latchkey.createUser(ada)
    ;[rsa, ec] = await Promise.all([clientKey('RSA-OAEP-256', 'enc'), clientKey('ECDH-ES', 'enc')])
    keyServer = await startKeyServer()
  })
  afterAll(async () => {
    await keyServer.close()
    await latchkey.close()
  })

  const party = (input: Readonly<Record<string, unknown>> = {}) =>
    relyingParty(latchkey, { firstParty: true, ...input })
  const verify = async (token: string) =>
    await jwtVerify(token, createRemoteJWKSet(new URL(`${latchkey.issuer}/jwks`)), {
      issuer: latchkey.issuer,
    })
  const responseOf = (location: string | undefined): string => {
    const { response = '', ...rest } = answered(location)
    expect(rest).toEqual({})
    return response
  }

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('are signed with %s, as the client wants it', async (alg) => {
    const shop = await party({ authorizationSignedResponseAlg: alg })
    const { url, state } = await shop.request({ response_mode: 'jwt' })
    const response = responseOf(await walkThrough(newVisitor(), url, ada))
    const { payload, protectedHeader } = await verify(response)
    expect(protectedHeader.alg).toBe(alg)
    expect(payload).toMatchObject({
      iss: latchkey.issuer,
      aud: shop.client.id,
      state,
      code: expect.any(String),
    })
    expect(payload.exp).toBeLessThanOrEqual(seconds() + 120)
  })

  it('are understood by openid-client, and lead to tokens', async () => {
    const shop = await party()
    openid.useJwtResponseMode(shop.configuration)
    expect((await shop.signIn(newVisitor(), ada)).claims()?.sub).toBeDefined()
  })

  it('of another application are refused by the application, and so are those of the past', async () => {
    const [shop, blog] = [await party(), await party({ name: 'Blog' })]
    openid.useJwtResponseMode(shop.configuration)
    openid.useJwtResponseMode(blog.configuration)
    const request = await shop.request()
    const theirs = await walkThrough(newVisitor(), (await blog.request({ state: request.state })).url, ada)
    expect(decodeJwt(responseOf(theirs)).aud).toBe(blog.client.id)
    await expect(shop.redeem(request, theirs)).rejects.toThrow(/aud|audience|unexpected JWT/)
  })

  it.each([
    ['query.jwt', '?'],
    ['fragment.jwt', '#'],
    ['jwt', '?'],
  ])('come by %s', async (mode, mark) => {
    const shop = await party()
    const location = await walkThrough(newVisitor(), (await shop.request({ response_mode: mode })).url, ada)
    const [before, after = ''] = location.split(mark)
    expect(before).toBe(callbackUrl)
    const sent = new URLSearchParams(after)
    expect([...sent.keys()]).toEqual(['response'])
    expect((await verify(sent.get('response') ?? '')).payload.code).toBeDefined()
  })

  it('come by a form, whose page names no code', async () => {
    const shop = await party()
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const page = await visitor.follow(
      await visitor.get((await shop.request({ response_mode: 'form_post.jwt' })).url),
    )
    const response = /name="response" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    expect((await verify(response)).payload.code).toBeDefined()
    expect(page.text).not.toMatch(/name="(code|state|iss)"/)
    expect(page.headers.get('content-security-policy')).toContain(new URL(callbackUrl).origin)
  })

  it('tell errors in the same way', async () => {
    const shop = await party()
    const { url, state } = await shop.request({ response_mode: 'jwt', prompt: 'none' })
    const { payload } = await verify(responseOf((await newVisitor().get(url)).location))
    expect(payload).toMatchObject({ error: 'login_required', state, aud: shop.client.id })
  })

  it('are plain where nobody asked for a JWT', async () => {
    const shop = await party()
    const location = await walkThrough(newVisitor(), (await shop.request()).url, ada)
    expect(Object.keys(answered(location)).toSorted()).toEqual(['code', 'iss', 'state'])
  })

  it.each(['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'])(
    'are encrypted by %s for the client alone',
    async (alg) => {
      const key = alg.startsWith('RSA') ? rsa : ec
      const shop = await party({
        jwks: { keys: [key.publicJwk] },
        authorizationSignedResponseAlg: 'ES256',
        authorizationEncryptedResponseAlg: alg,
        authorizationEncryptedResponseEnc: 'A256GCM',
      })
      const { url, state } = await shop.request({ response_mode: 'jwt' })
      const response = responseOf(await walkThrough(newVisitor(), url, ada))
      expect(decodeProtectedHeader(response)).toMatchObject({ alg, enc: 'A256GCM', cty: 'JWT', kid: key.kid })
      expect(Buffer.from(response.split('.').join(''), 'base64url').toString()).not.toContain(state)
      const { plaintext } = await compactDecrypt(response, key.privateKey)
      const { payload } = await verify(new TextDecoder().decode(plaintext))
      expect(payload).toMatchObject({ state, aud: shop.client.id })
      await expect(compactDecrypt(response, (await clientKey(key.alg, 'enc')).privateKey)).rejects.toThrow()
    },
  )

  it('are never sent unencrypted because the key is not to be had', async () => {
    const shop = await party({
      authentication: 'client_secret_basic',
      jwksUri: keyServer.url,
      authorizationEncryptedResponseAlg: 'RSA-OAEP-256',
    })
    keyServer.publish([ec.publicJwk])
    const visitor = newVisitor()
    const { url, state } = await shop.request({ response_mode: 'jwt', prompt: 'none' })
    const page = await visitor.get(url)
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(page.status).toBeLessThan(500)
    expect(page.location).toBeUndefined()
    expect(page.text).not.toContain(state)
  })
})
