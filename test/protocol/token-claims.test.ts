import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { ada, clientAt } from '../support/jwt-tokens.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const orders = 'https://orders.example.test'
const stock = 'https://stock.example.test'

const declared = [
  { claim: 'https://example.test/tenant', from: 'fixed', value: 'north' },
  { claim: 'division', from: 'profile.department' },
  { claim: 'login', from: 'user.email', in: ['access_token'] },
  { claim: 'badge', from: 'fixed', value: [1, 'two', true], in: ['id_token'] },
  { claim: 'never', from: 'profile.nickname' },
]

describe('declared claims', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let third: RelyingParty

  const setDepartment = async (value: string): Promise<void> => {
    const command = latchkey.app.features.profiles.commands?.find(
      ({ words }) => words.join(' ') === 'profiles set',
    )
    await command?.run({ user: ada.email, field: 'department', value })
  }
  const me = async (token: string) =>
    await (await fetch(`${latchkey.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })).json()

  beforeAll(async () => {
    latchkey = await startLatchkey({
      environment: { LATCHKEY_PROFILES_FIELDS: 'nickname, department:"Department" fixed' },
    })
    await latchkey.createUser(ada)
    await setDepartment('Engines')
    const scopes = [{ name: 'orders:read' }]
    const asking = await latchkey.createClient({ kind: 'service', id: 'stock-api', name: 'Stock API' })
    expect(asking.id).toBe('stock-api')
    await latchkey.createApi({
      indicator: orders,
      name: 'Orders',
      scopes,
      claims: [
        { claim: 'who', from: 'user.name' },
        { claim: 'audience_kind', from: 'fixed', value: 'api' },
        { claim: 'division', from: 'fixed', value: 'of the API' },
      ],
    })
    await latchkey.createApi({
      indicator: stock,
      name: 'Stock',
      scopes,
      tokenFormat: 'opaque',
      introspectors: ['stock-api'],
    })
    const input = {
      scopes: ['openid', 'profile', 'email', 'offline_access', 'orders:read'],
      extraClaims: declared,
    }
    shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true, ...input })
    third = await relyingParty(latchkey, { name: 'Third', ...input })
  })
  afterAll(() => latchkey.close())

  const forApi = async (party: RelyingParty, resource: string, scope: string) => {
    const tokens = await party.signIn(newVisitor(), ada, { resource, scope, prompt: 'consent' })
    return await openid.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '', { resource })
  }

  it('come in ID tokens and user information, each where it was declared', async () => {
    const tokens = await shop.signIn(newVisitor(), ada)
    expect(decodeJwt(tokens.id_token ?? '')).toMatchObject({
      'https://example.test/tenant': 'north',
      division: 'Engines',
      badge: [1, 'two', true],
    })
    expect(decodeJwt(tokens.id_token ?? '')).not.toHaveProperty('login')
    expect(decodeJwt(tokens.id_token ?? '')).not.toHaveProperty('never')
    const info = await me(tokens.access_token)
    expect(info).toMatchObject({
      'https://example.test/tenant': 'north',
      division: 'Engines',
      email: ada.email,
    })
    expect(info).not.toHaveProperty('badge')
  })

  it('come in JWT access tokens; of the same claim what the API declares counts', async () => {
    const { access_token: token } = await forApi(shop, orders, 'openid orders:read')
    expect(decodeJwt(token)).toMatchObject({
      'https://example.test/tenant': 'north',
      login: ada.email,
      who: ada.name,
      audience_kind: 'api',
      division: 'of the API',
    })
  })

  it('come in the introspection of opaque ones', async () => {
    const { access_token: token } = await forApi(shop, stock, 'openid orders:read')
    const { secret } = await (async () => {
      const { resource } = latchkey.app.features.clients
      const item = await resource.find('stock-api')
      if (item === undefined) throw new Error('There is no client.')
      const added = await resource.actions
        .find(({ name }) => name === 'add-secret')
        ?.run(item, {}, commandLineActor)
      return { secret: added?.reveals?.secret ?? '' }
    })()
    const response = await fetch(`${latchkey.issuer}/token/introspection`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`stock-api:${secret}`)}` },
      body: new URLSearchParams({ token }),
    })
    expect(await response.json()).toMatchObject({ active: true, division: 'Engines', login: ada.email })
  })

  it('tell a third party nothing of a person that he has not agreed to', async () => {
    const { access_token: token, id_token: idToken = '' } = await forApi(
      third,
      orders,
      'openid offline_access orders:read',
    )
    for (const payload of [decodeJwt(token), decodeJwt(idToken)]) {
      expect(payload).toHaveProperty(['https://example.test/tenant'], 'north')
      for (const claim of ['login', 'who', 'never']) expect(payload).not.toHaveProperty(claim)
    }
    expect(decodeJwt(idToken)).not.toHaveProperty('division')
    const agreed = await forApi(third, orders, 'openid offline_access email orders:read')
    expect(decodeJwt(agreed.access_token)).toMatchObject({ login: ada.email })
    expect(decodeJwt(agreed.access_token)).not.toHaveProperty('who')
  })

  it('of a changed profile are the new ones at the next token', async () => {
    const tokens = await shop.signIn(newVisitor(), ada)
    await setDepartment('Looms')
    const next = await openid.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '')
    expect(decodeJwt(next.id_token ?? '').division).toBe('Looms')
    await setDepartment('Engines')
  })

  it('of a person are left out where nobody is', async () => {
    const { configuration } = await clientAt(latchkey, {
      kind: 'service',
      name: 'Robot',
      scopes: ['orders:read'],
      extraClaims: declared,
    })
    const { access_token: token } = await openid.clientCredentialsGrant(configuration, {
      resource: orders,
      scope: 'orders:read',
    })
    expect(decodeJwt(token)).toMatchObject({ audience_kind: 'api', 'https://example.test/tenant': 'north' })
    expect(decodeJwt(token)).not.toHaveProperty('who')
  })

  it.each([
    'iss',
    'sub',
    'aud',
    'exp',
    'iat',
    'jti',
    'acr',
    'amr',
    'cnf',
    'act',
    'client_id',
    'scope',
    'grant_ref',
    'subject_ref',
    'exchange_ref',
    'email_verified',
    '__proto__',
    'nonce',
    'sid',
    'active',
  ])('cannot be %s, which the protocol gives a meaning', async (claim) => {
    const extraClaims = [{ claim, from: 'fixed', value: 'x' }]
    await expect(latchkey.createClient({ kind: 'service', name: 'Robot', extraClaims })).rejects.toThrow(
      /extraClaims/,
    )
    await expect(
      latchkey.createApi({ indicator: 'https://x.example.test', name: 'X', claims: extraClaims }),
    ).rejects.toThrow(/claims/)
  })

  it.each([
    ['groups, of which there are none', { claim: 'g', from: 'groups' }],
    ['code', { claim: 'x', from: 'user.email.toUpperCase()' }],
    ['a password', { claim: 'x', from: 'user.password' }],
    ['a fixed claim without a value', { claim: 'x', from: 'fixed' }],
    ['a value beside a source', { claim: 'x', from: 'user.email', value: 'y' }],
    ['an object as value', { claim: 'x', from: 'fixed', value: { a: 1 } }],
    ['a place that is none', { claim: 'x', from: 'user.email', in: ['logout_token'] }],
    ['an unknown member', { claim: 'x', from: 'user.email', script: 'y' }],
  ])('do not come from %s', async (_what, each) => {
    await expect(
      latchkey.createClient({ kind: 'service', name: 'Robot', extraClaims: [each] }),
    ).rejects.toThrow(/extraClaims/)
  })
})
