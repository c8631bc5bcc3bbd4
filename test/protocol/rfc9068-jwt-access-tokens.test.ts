import { generateKeyPairSync } from 'node:crypto'
import { compactDecrypt, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, clientAt } from '../support/jwt-tokens.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { relyingParty } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const scopes = [{ name: 'read' }]
const encrypted = 'https://sealed.example.test'

describe('JWT access tokens', () => {
  let latchkey: RunningLatchkey
  let robot: openid.Configuration
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })

  const api = (name: string): string => `https://${name}.example.test`
  const get = async (resource: string, configuration = robot) =>
    (await openid.clientCredentialsGrant(configuration, { resource, scope: 'read' })).access_token
  const keys = () => createRemoteJWKSet(new URL(`${latchkey.issuer}/jwks`))

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const asking = await clientAt(latchkey, { kind: 'service', name: 'API' })
    await latchkey.createApi({
      indicator: encrypted,
      name: 'Sealed',
      scopes,
      introspectors: [asking.id],
      accessTokenEncryptionAlg: 'ECDH-ES',
      accessTokenEncryptionEnc: 'A256GCM',
      jwks: { keys: [{ ...jwk, kid: 'api-key' }] },
    })
    for (const requiredSenderConstraint of ['none', 'dpop', 'mtls', 'any'])
      await latchkey.createApi({
        indicator: api(requiredSenderConstraint),
        name: 'API',
        scopes,
        requiredSenderConstraint,
      })
    robot = (await clientAt(latchkey, { kind: 'service', name: 'Robot', scopes: ['read'] })).configuration
  })
  afterAll(() => latchkey.close())

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])(
    'are signed with %s where the API says so',
    async (tokenAlgorithm) => {
      if (tokenAlgorithm === 'PS256') {
        const { commands } = latchkey.app.features.signingKeys
        await commands
          ?.find(({ words }) => words.join(' ') === 'keys rotate')
          ?.run({ algorithm: 'PS256', immediately: true })
      }
      const indicator = api(tokenAlgorithm.toLowerCase())
      await latchkey.createApi({ indicator, name: 'API', scopes, tokenAlgorithm })
      const token = await get(indicator)
      const { payload, protectedHeader } = await jwtVerify(token, keys(), {
        issuer: latchkey.issuer,
        audience: indicator,
        typ: 'at+jwt',
      })
      expect(protectedHeader.alg).toBe(tokenAlgorithm)
      for (const claim of ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'])
        expect(payload).toHaveProperty(claim)
    },
  )

  it('say of a service nothing but what the specification wants', async () => {
    expect(Object.keys(decodeJwt(await get(api('none')))).toSorted()).toEqual([
      'aud',
      'client_id',
      'exp',
      'iat',
      'iss',
      'jti',
      'scope',
      'sub',
    ])
  })

  it('are encrypted to the key of the API, after they were signed', async () => {
    const token = await get(encrypted)
    expect(decodeProtectedHeader(token)).toMatchObject({
      alg: 'ECDH-ES',
      enc: 'A256GCM',
      kid: 'api-key',
      cty: 'at+jwt',
    })
    const { plaintext } = await compactDecrypt(token, privateKey)
    const { payload } = await jwtVerify(new TextDecoder().decode(plaintext), keys(), {
      issuer: latchkey.issuer,
      audience: encrypted,
      typ: 'at+jwt',
    })
    expect(payload.scope).toBe('read')
  })

  it('that are encrypted are introspected by what the API has opened, and ended by it', async () => {
    const party = await relyingParty(latchkey, { name: 'Shop', firstParty: true, scopes: ['openid', 'read'] })
    const tokens = await party.signIn(newVisitor(), ada, { resource: encrypted, scope: 'openid read' })
    const { access_token: token } = await openid.refreshTokenGrant(
      party.configuration,
      tokens.refresh_token ?? '',
      { resource: encrypted },
    )
    await expect(openid.tokenIntrospection(party.configuration, token)).rejects.toMatchObject({
      error: 'unsupported_token_type',
    })
    await expect(openid.tokenRevocation(party.configuration, token)).rejects.toMatchObject({
      error: 'unsupported_token_type',
    })
    const inner = new TextDecoder().decode((await compactDecrypt(token, privateKey)).plaintext)
    expect(await openid.tokenIntrospection(party.configuration, inner)).toMatchObject({ active: true })
    await openid.tokenRevocation(party.configuration, tokens.refresh_token ?? '')
    expect(await openid.tokenIntrospection(party.configuration, inner)).toEqual({ active: false })
  })

  it('of an API that takes only bound ones are given to nobody else, whatever the grant', async () => {
    for (const constraint of ['dpop', 'mtls', 'any']) {
      await expect(get(api(constraint))).rejects.toMatchObject({
        error: 'invalid_request',
        error_description: expect.stringContaining(api(constraint)),
      })
    }
    const party = await relyingParty(latchkey, { name: 'Shop', firstParty: true, scopes: ['openid', 'read'] })
    const tokens = await party.signIn(newVisitor(), ada, { resource: api('dpop'), scope: 'openid read' })
    const refresh = (options?: openid.DPoPOptions) =>
      openid.refreshTokenGrant(
        party.configuration,
        tokens.refresh_token ?? '',
        { resource: api('dpop') },
        options,
      )
    await expect(refresh()).rejects.toMatchObject({ error: 'invalid_request' })
    const DPoP = openid.getDPoPHandle(party.configuration, await openid.randomDPoPKeyPair('ES256'))
    expect(decodeJwt((await refresh({ DPoP })).access_token).cnf).toHaveProperty('jkt')
  })

  it('that are bound by a proof suit an API that wants that, or either', async () => {
    const DPoP = openid.getDPoPHandle(robot, await openid.randomDPoPKeyPair('ES256'))
    const bound = (resource: string) =>
      openid.clientCredentialsGrant(robot, { resource, scope: 'read' }, { DPoP })
    for (const constraint of ['none', 'dpop', 'any']) {
      expect(decodeJwt((await bound(api(constraint))).access_token).cnf).toHaveProperty('jkt')
    }
    await expect(bound(api('mtls'))).rejects.toMatchObject({ error: 'invalid_request' })
  })
})
