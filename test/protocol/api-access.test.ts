import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  answered,
  type RelyingParty,
  relyingParty,
  type Tokens,
  walkThrough,
} from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const orders = 'https://orders.example.test'
const stock = 'https://stock.example.test'
const insecure = { [oauth.allowInsecureRequests]: true }

describe('an API, in the name of a person', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let userId: string

  beforeAll(async () => {
    latchkey = await startLatchkey()
    userId = await latchkey.createUser(ada)
    const scopes = [{ name: 'orders:read' }, { name: 'orders:write' }, { name: 'orders:delete' }]
    await latchkey.createApi({ indicator: orders, name: 'Orders', scopes })
    await latchkey.createApi({
      indicator: stock,
      name: 'Stock',
      scopes: [{ name: 'stock:read' }],
      tokenFormat: 'opaque',
    })
    shop = await relyingParty(latchkey, {
      name: 'Shop',
      firstParty: true,
      scopes: ['openid', 'email', 'orders:read', 'orders:write', 'stock:read'],
    })
  })
  afterAll(() => latchkey.close())

  const signIn = async (
    asked: Readonly<Record<string, string>>,
    atToken: Readonly<Record<string, string>> = {},
  ): Promise<Tokens> => {
    const { verifier, state, nonce, url: asking } = await shop.request({ ...asked })
    const url = new URL(asking)
    const isPlain = asked.scope?.includes('openid') === false
    if (isPlain) url.searchParams.delete('nonce')
    const location = new URL(await walkThrough(newVisitor(), url.href, ada))
    const checks = { pkceCodeVerifier: verifier, expectedState: state }
    const expected = isPlain ? checks : { ...checks, expectedNonce: nonce }
    return await openid.authorizationCodeGrant(shop.configuration, location, expected, { ...atToken })
  }
  /** What an API does that was given `token`. */
  const read = async (token: string, audience = orders) => {
    const request = new Request(audience, { headers: { authorization: `Bearer ${token}` } })
    return await oauth.validateJwtAccessToken(
      shop.configuration.serverMetadata(),
      request,
      audience,
      insecure,
    )
  }
  const me = async (token: string): Promise<number> =>
    (await fetch(`${latchkey.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })).status

  it('gets a token about the person, which names the application and what was asked', async () => {
    const tokens = await signIn({ scope: 'openid email orders:read', resource: orders }, { resource: orders })
    const claims = await read(tokens.access_token)
    expect(claims).toMatchObject({ sub: userId, client_id: shop.client.id, scope: 'orders:read' })
    expect(JSON.stringify(claims)).not.toContain(ada.email)
    expect(tokens.claims()).toMatchObject({ sub: userId, aud: shop.client.id })
    expect(await me(tokens.access_token)).toBe(401)
  })

  it('has to be named at the token endpoint where the application also wants userinfo', async () => {
    const tokens = await signIn({ scope: 'openid email orders:read', resource: orders })
    expect(await me(tokens.access_token)).toBe(200)
    await expect(read(tokens.access_token)).rejects.toThrow()
    const forApi = await openid.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '', {
      resource: orders,
    })
    expect(await read(forApi.access_token)).toMatchObject({ sub: userId, scope: 'orders:read' })
  })

  it('need not be named again where there is nothing but the API', async () => {
    const tokens = await signIn({ scope: 'orders:read orders:write', resource: orders })
    expect(await read(tokens.access_token)).toMatchObject({ sub: userId, scope: 'orders:read orders:write' })
    expect(tokens.id_token).toBeUndefined()
  })

  it('never gets more than the application may ask for', async () => {
    const scope = 'openid orders:read orders:delete stock:read'
    const tokens = await signIn({ scope, resource: orders }, { resource: orders })
    expect(await read(tokens.access_token)).toMatchObject({ scope: 'orders:read' })
  })

  it('gets nothing where the sign-in was not for it', async () => {
    const forOrders = { scope: 'openid orders:read stock:read', resource: orders }
    await expect(signIn(forOrders, { resource: stock })).rejects.toMatchObject({ error: 'invalid_target' })
    const tokens = await signIn(forOrders, { resource: orders })
    const other = openid.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '', {
      resource: stock,
    })
    await expect(other).rejects.toMatchObject({ error: 'invalid_target' })
  })

  it('that nobody has registered is invalid_target at the application', async () => {
    const { url } = await shop.request({ scope: 'openid', resource: 'https://nobody.example.test' })
    expect(answered((await newVisitor().get(url)).location)).toMatchObject({ error: 'invalid_target' })
  })

  it('reads no ID token as an access token, nor a token for another API', async () => {
    const tokens = await signIn({ scope: 'openid orders:read', resource: orders }, { resource: orders })
    await expect(read(tokens.id_token ?? '', shop.client.id)).rejects.toThrow()
    await expect(read(tokens.access_token, stock)).rejects.toThrow()
  })

  it('gets no token by a refresh once it is disabled', async () => {
    const { resource } = latchkey.app.features.resources
    const tokens = await signIn({ scope: 'openid stock:read', resource: stock }, { resource: stock })
    const item = await resource.find(stock)
    if (item === undefined) throw new Error('The API is gone.')
    await resource.actions.find(({ name }) => name === 'disable')?.run(item, {}, commandLineActor)
    const renewed = openid.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '', {
      resource: stock,
    })
    await expect(renewed).rejects.toMatchObject({ error: 'invalid_target' })
  })
})
