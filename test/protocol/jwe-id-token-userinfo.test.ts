import { generateKeyPairSync } from 'node:crypto'
import { compactDecrypt, createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type ClientKey, clientKey } from '../support/client-keys.ts'
import { type KeyServer, startKeyServer } from '../support/key-server.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  answered,
  callbackUrl,
  type RelyingParty,
  relyingParty,
  walkThrough,
} from '../support/relying-party.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const secret = { authentication: 'client_secret_basic' }

interface TokenAnswer {
  readonly error?: string
  readonly id_token?: string
  readonly access_token?: string
  readonly refresh_token?: string
}

describe('encrypted ID tokens and user information (OpenID Connect Core 1.0 §2, §5.3.2, §10.2)', () => {
  let latchkey: RunningLatchkey
  let rsa: ClientKey
  let keyServer: KeyServer
  let userId: string

  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' } })
    userId = await latchkey.createUser(ada)
    rsa = await clientKey('RSA-OAEP-256', 'enc')
    keyServer = await startKeyServer()
  })
  afterAll(async () => {
    vi.useRealTimers()
    await keyServer.close()
    await latchkey.close()
  })

  const token = async (party: RelyingParty, body: Readonly<Record<string, string>>) => {
    const response = await fetch(`${latchkey.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${party.client.id}:${party.client.secret}`)}` },
      body: new URLSearchParams(body),
    })
    return { status: response.status, ...((await response.json()) as TokenAnswer) }
  }
  const signIn = async (party: RelyingParty, visitor: Visitor = newVisitor()) => {
    const request = await party.request({ scope: 'openid email' })
    const { code = '' } = answered(await walkThrough(visitor, request.url, ada))
    return await token(party, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: callbackUrl,
      code_verifier: request.verifier,
    })
  }
  const opened = async (jwe: string | undefined, { privateKey }: ClientKey) => {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe ?? '', privateKey)
    const jws = new TextDecoder().decode(plaintext)
    const keys = createRemoteJWKSet(new URL(`${latchkey.issuer}/jwks`))
    const { payload } = await jwtVerify(jws, keys, { issuer: latchkey.issuer })
    return { jws, payload: payload as JWTPayload, protectedHeader }
  }
  const me = async (accessToken = '') =>
    await fetch(`${latchkey.issuer}/me`, { headers: { authorization: `Bearer ${accessToken}` } })

  it.each<[string, string | undefined, string | undefined]>([
    ['RSA-OAEP-256', undefined, undefined],
    ['RSA-OAEP-256', 'A256GCM', undefined],
    ['ECDH-ES', 'A128GCM', 'P-256'],
    ['ECDH-ES', 'A256CBC-HS512', 'P-384'],
    ['ECDH-ES+A256KW', 'A256GCM', 'P-521'],
    ['ECDH-ES+A128KW', 'A256GCM', 'X25519'],
  ])('are for the client alone: %s, %s, %s', async (alg, enc, crv) => {
    const key = await clientKey(alg, 'enc', crv)
    const party = await relyingParty(latchkey, {
      firstParty: true,
      jwks: { keys: [key.publicJwk] },
      idTokenEncryptedResponseAlg: alg,
      userinfoEncryptedResponseAlg: alg,
      ...(enc && { idTokenEncryptedResponseEnc: enc, userinfoEncryptedResponseEnc: enc }),
    })
    const answer = await signIn(party)
    const idToken = await opened(answer.id_token, key)
    expect(idToken.protectedHeader).toMatchObject({
      alg,
      enc: enc ?? 'A128CBC-HS256',
      cty: 'JWT',
      kid: key.kid,
    })
    expect(idToken.payload).toMatchObject({ sub: userId, aud: party.client.id })
    const response = await me(answer.access_token)
    expect(response.headers.get('content-type')).toContain('application/jwt')
    const userinfo = await opened(await response.text(), key)
    expect(userinfo.payload).toMatchObject({ sub: userId, aud: party.client.id, email: ada.email })
    const refreshed = await token(party, {
      grant_type: 'refresh_token',
      refresh_token: answer.refresh_token ?? '',
    })
    expect((await opened(refreshed.id_token, key)).payload.sub).toBe(userId)
  })

  it('are understood by openid-client', async () => {
    const party = await relyingParty(latchkey, {
      firstParty: true,
      jwks: { keys: [rsa.publicJwk] },
      idTokenEncryptedResponseAlg: 'RSA-OAEP-256',
      idTokenEncryptedResponseEnc: 'A256GCM',
    })
    openid.enableDecryptingResponses(party.configuration, ['A256GCM'], {
      key: rsa.privateKey,
      kid: rsa.kid,
      alg: rsa.alg,
    })
    expect((await party.signIn(newVisitor(), ada)).claims()?.sub).toBe(userId)
  })

  it('leave the tokens of everybody else as they are', async () => {
    const party = await relyingParty(latchkey, { firstParty: true, jwks: { keys: [rsa.publicJwk] } })
    const answer = await signIn(party)
    expect(decodeProtectedHeader(answer.id_token ?? '')).toMatchObject({ alg: 'RS256' })
    expect((await me(answer.access_token)).headers.get('content-type')).toContain('application/json')
  })

  it('follow the keys that the client publishes, and are withheld where none fits', async () => {
    const party = await relyingParty(latchkey, {
      ...secret,
      firstParty: true,
      jwksUri: keyServer.url,
      idTokenEncryptedResponseAlg: 'RSA-OAEP-256',
    })
    keyServer.publish([rsa.publicJwk])
    expect((await opened((await signIn(party)).id_token, rsa)).payload.sub).toBe(userId)
    const next = await clientKey('RSA-OAEP-256', 'enc')
    keyServer.publish([next.publicJwk])
    vi.setSystemTime(Date.now() + 120_000)
    expect((await opened((await signIn(party)).id_token, next)).payload.sub).toBe(userId)

    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' })
    const unusable = [
      { ...weak, use: 'enc' },
      { ...rsa.publicJwk, use: 'sig' },
      (await clientKey('ES256')).publicJwk,
    ]
    for (const jwk of unusable) {
      keyServer.publish([jwk])
      vi.setSystemTime(Date.now() + 120_000)
      const answer = await signIn(party)
      expect([answer.status, answer.id_token, answer.access_token]).toEqual([400, undefined, undefined])
    }
  })

  it('do not fail the server where a key without use is of a kind that only signs', async () => {
    const party = await relyingParty(latchkey, {
      ...secret,
      firstParty: true,
      jwksUri: keyServer.url,
      idTokenEncryptedResponseAlg: 'ECDH-ES',
    })
    const { use: _use, alg: _alg, ...bare } = (await clientKey('EdDSA')).publicJwk
    keyServer.publish([bare])
    vi.setSystemTime(Date.now() + 120_000)
    expect((await signIn(party)).status).toBe(400)
  })

  it('are hints as what is inside, which the client alone can know', async () => {
    const party = await relyingParty(latchkey, {
      firstParty: true,
      jwks: { keys: [rsa.publicJwk] },
      idTokenEncryptedResponseAlg: 'RSA-OAEP-256',
    })
    const visitor = newVisitor()
    const { id_token: jwe = '' } = await signIn(party, visitor)
    const { jws } = await opened(jwe, rsa)
    const hinted = async (hint: string) =>
      answered(
        (await visitor.get((await party.request({ prompt: 'none', id_token_hint: hint })).url)).location,
      )
    expect(await hinted(jws)).toHaveProperty('code')
    expect(await hinted(jwe)).toMatchObject({ error: 'invalid_request' })
    const logout = await visitor.get(
      `${latchkey.issuer}/session/end?${new URLSearchParams({ id_token_hint: jwe })}`,
    )
    expect(logout.status).toBe(400)
  })
})
