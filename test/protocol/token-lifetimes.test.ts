import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, parseUpdate } from '../../src/kernel/input.ts'
import { ada, clientAt } from '../support/jwt-tokens.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const limits = {
  LATCHKEY_PROVIDER_ACCESS_TOKEN_MAXIMUM_SECONDS: '1200',
  LATCHKEY_PROVIDER_ACCESS_TOKEN_TTL_SECONDS: '500',
  LATCHKEY_PROVIDER_ID_TOKEN_TTL_SECONDS: '1000',
  LATCHKEY_PROVIDER_REFRESH_TOKEN_IDLE_SECONDS: '4000',
  LATCHKEY_PROVIDER_REFRESH_TOKEN_MAXIMUM_SECONDS: '9000',
}
const api = (name: string): string => `https://${name}.example.test`
const ttlOf = (jwt: string): number => {
  const { exp = 0, iat = 0 } = decodeJwt(jwt)
  return exp - iat
}

describe('lifetimes', () => {
  let latchkey: RunningLatchkey

  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: limits })
    await latchkey.createUser(ada)
    const scopes = [{ name: 'read' }]
    await latchkey.createApi({ indicator: api('brief'), name: 'Brief', scopes, accessTokenTtlSeconds: 100 })
    await latchkey.createApi({ indicator: api('long'), name: 'Long', scopes, accessTokenTtlSeconds: 1_200 })
  })
  afterAll(() => latchkey.close())

  const at = async (resource: string, more: Readonly<Record<string, unknown>> = {}) => {
    const { configuration } = await clientAt(latchkey, {
      kind: 'service',
      name: 'Robot',
      scopes: ['read'],
      ...more,
    })
    const { access_token: token, expires_in: told } = await openid.clientCredentialsGrant(configuration, {
      resource,
      scope: 'read',
    })
    expect(told).toBe(ttlOf(token))
    return told
  }
  const party = (more: Readonly<Record<string, unknown>> = {}): Promise<RelyingParty> =>
    relyingParty(latchkey, {
      name: 'Shop',
      firstParty: true,
      scopes: ['openid', 'profile', 'email', 'read'],
      ...more,
    })
  const refreshExpiry = async (clientId: string) => {
    const rows = await latchkey.app.storage.db.artefact.findMany({
      where: { model: 'RefreshToken', clientId },
      orderBy: { createdAt: 'desc' },
    })
    const [{ expiresAt, createdAt } = { expiresAt: null, createdAt: new Date() }] = rows
    return Math.round(((expiresAt?.getTime() ?? 0) - createdAt.getTime()) / 1000)
  }

  it('of access tokens: the shortest of what client and API say counts', async () => {
    expect(await at(api('brief'))).toBe(100)
    expect(await at(api('long'))).toBe(1_200)
    expect(await at(api('brief'), { accessTokenTtlSeconds: 700 })).toBe(100)
    expect(await at(api('long'), { accessTokenTtlSeconds: 700 })).toBe(700)
    expect(await at(api('long'), { accessTokenTtlSeconds: 60 })).toBe(60)
  })

  it('of access tokens for no API: the server’s own, or the client’s where it is shorter', async () => {
    const ttl = async (more = {}) => (await (await party(more)).signIn(newVisitor(), ada)).expires_in
    expect(await ttl()).toBe(500)
    expect(await ttl({ accessTokenTtlSeconds: 900 })).toBe(500)
    expect(await ttl({ accessTokenTtlSeconds: 90 })).toBe(90)
  })

  it('of ID tokens: the client’s where it is shorter', async () => {
    const ttl = async (more = {}) =>
      ttlOf((await (await party(more)).signIn(newVisitor(), ada)).id_token ?? '')
    expect(await ttl()).toBe(1_000)
    expect(await ttl({ idTokenTtlSeconds: 120 })).toBe(120)
  })

  it('of refresh tokens: the client’s maximum, and idle time where they rotate', async () => {
    const confidential = await party({ refreshTokenMaximumSeconds: 700 })
    await confidential.signIn(newVisitor(), ada)
    expect(await refreshExpiry(confidential.client.id)).toBeCloseTo(700, -1)
    const app = await party({ kind: 'spa', refreshTokenIdleSeconds: 400, refreshTokenMaximumSeconds: 600 })
    const tokens = await app.signIn(newVisitor(), ada)
    expect(await refreshExpiry(app.client.id)).toBeCloseTo(400, -1)
    await openid.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '')
    expect(await refreshExpiry(app.client.id)).toBeCloseTo(400, -1)
    const plain = await party({ kind: 'spa' })
    await plain.signIn(newVisitor(), ada)
    expect(await refreshExpiry(plain.client.id)).toBeCloseTo(4_000, -1)
  })

  it('above the server’s limits are refused in words', async () => {
    const web = { kind: 'web', name: 'Shop', redirectUris: ['https://shop.example.test/cb'] }
    const spa = { ...web, kind: 'spa' }
    const refused = [
      [
        { ...web, accessTokenTtlSeconds: 1_201 },
        /accessTokenTtlSeconds is 1201, and the server allows at most 1200/,
      ],
      [{ ...web, idTokenTtlSeconds: 1_001 }, /idTokenTtlSeconds is 1001, and the server allows at most 1000/],
      [{ ...web, refreshTokenMaximumSeconds: 9_001 }, /at most 9000/],
      [{ ...spa, refreshTokenIdleSeconds: 4_001 }, /at most 4000/],
      [{ ...web, refreshTokenIdleSeconds: 400 }, /do not rotate/],
      [{ ...spa, refreshTokenIdleSeconds: 500, refreshTokenMaximumSeconds: 400 }, /would never count/],
      [{ kind: 'service', name: 'Robot', refreshTokenMaximumSeconds: 400 }, /has no refresh tokens/],
    ] as const
    for (const [input, sentence] of refused)
      await expect(latchkey.createClient(input)).rejects.toThrow(sentence)
    await expect(
      latchkey.createApi({ indicator: api('forever'), name: 'Forever', accessTokenTtlSeconds: 1_201 }),
    ).rejects.toThrow(/accessTokenTtlSeconds is 1201, and the server allows at most 1200/)
    const { resource } = latchkey.app.features.resources
    const item = await resource.find(api('long'))
    if (item === undefined) throw new Error('There is no API.')
    const input = accept(parseUpdate(resource.fields, { accessTokenTtlSeconds: 5_000 }))
    await expect(resource.update(item, input, commandLineActor)).rejects.toThrow(/at most 1200/)
  })
})

describe('a limit that was lowered', () => {
  it('counts at once for what was registered before', async () => {
    const first = await startLatchkey()
    const scopes = [{ name: 'read' }]
    await first.createApi({ indicator: api('long'), name: 'Long', scopes, accessTokenTtlSeconds: 80_000 })
    const client = await first.createClient({
      kind: 'service',
      name: 'Robot',
      scopes: ['read'],
      accessTokenTtlSeconds: 70_000,
    })
    const second = await startLatchkey({ databaseUrl: first.databaseUrl, environment: limits })
    const response = await fetch(`${second.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: api('long'), scope: 'read' }),
    })
    expect((await response.json()).expires_in).toBe(1_200)
    await second.close()
    await first.close()
  })
})
