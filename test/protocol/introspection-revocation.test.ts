import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { discover, type RelyingParty, relyingParty, type Tokens } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const opaqueApi = 'https://stock.example.test'
const jwtApi = 'https://orders.example.test'

describe('tokens after they are issued', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let blog: RelyingParty
  let app: RelyingParty
  /** Registered at the API as one that may ask about its tokens. */
  let stock: openid.Configuration
  let service: openid.Configuration
  let userId: string

  const signIn = (
    party: RelyingParty = shop,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<Tokens> => party.signIn(newVisitor(), ada, parameters)
  const refresh = (tokens: Tokens): string => tokens.refresh_token ?? 'there is no refresh token'
  const state = async (configuration: openid.Configuration, token: string) =>
    await openid.tokenIntrospection(configuration, token)
  const me = (token: string) =>
    fetch(`${latchkey.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })
  const configured = async (input: Record<string, unknown>) => {
    const client = await latchkey.createClient(input)
    return {
      id: client.id,
      configuration: await discover(latchkey.issuer, client.id, openid.ClientSecretBasic(client.secret)),
    }
  }

  beforeAll(async () => {
    latchkey = await startLatchkey()
    userId = await latchkey.createUser(ada)
    const asking = await configured({ kind: 'service', name: 'Stock API' })
    stock = asking.configuration
    const scopes = [{ name: 'stock:read' }]
    await latchkey.createApi({
      indicator: opaqueApi,
      name: 'Stock',
      scopes,
      tokenFormat: 'opaque',
      introspectors: [asking.id],
    })
    await latchkey.createApi({ indicator: jwtApi, name: 'Orders', scopes, introspectors: [asking.id] })
    service = (await configured({ kind: 'service', name: 'Importer', scopes: ['stock:read'] })).configuration
    shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true })
    blog = await relyingParty(latchkey, { name: 'Blog', firstParty: true })
    app = await relyingParty(latchkey, { kind: 'spa', name: 'App', firstParty: true })
  })
  afterAll(() => latchkey.close())

  describe('introspection', () => {
    it('tells a client about its own access and refresh tokens, and whose they are', async () => {
      const tokens = await signIn()
      expect(await state(shop.configuration, tokens.access_token)).toMatchObject({
        active: true,
        client_id: shop.client.id,
        sub: userId,
        iss: latchkey.issuer,
        scope: 'openid profile email',
      })
      expect(await state(shop.configuration, refresh(tokens))).toMatchObject({
        active: true,
        client_id: shop.client.id,
        sub: userId,
      })
    })

    it('says no more than inactive of tokens of another client and of unknown ones', async () => {
      const tokens = await signIn()
      for (const token of [tokens.access_token, refresh(tokens), 'unknown']) {
        expect(await state(blog.configuration, token)).toEqual({ active: false })
        expect(await state(stock, token)).toEqual({ active: false })
      }
    })

    it('tells the registered introspector of an API about the tokens for that API', async () => {
      const tokens = await openid.clientCredentialsGrant(service, {
        resource: opaqueApi,
        scope: 'stock:read',
      })
      expect(await state(stock, tokens.access_token)).toMatchObject({
        active: true,
        aud: opaqueApi,
        scope: 'stock:read',
      })
      expect(await state(blog.configuration, tokens.access_token)).toEqual({ active: false })
    })

    it('says nothing to a public client, as nobody can tell who asks', async () => {
      const tokens = await signIn(app)
      expect(await state(app.configuration, tokens.access_token)).toEqual({ active: false })
    })

    it('is refused without authentication', async () => {
      const tokens = await signIn()
      const response = await fetch(`${latchkey.issuer}/token/introspection`, {
        method: 'POST',
        body: new URLSearchParams({ token: tokens.access_token, client_id: shop.client.id }),
      })
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ error: 'invalid_client' })
    })

    it('is inactive once the person may not be served any more', async () => {
      const password = 'difference engine 1822'
      const id = await latchkey.createUser({ email: 'charles@example.test', password })
      const tokens = await shop.signIn(newVisitor(), { email: 'charles@example.test', password })
      expect(await state(shop.configuration, tokens.access_token)).toMatchObject({ active: true, sub: id })
      await latchkey.app.storage.transaction((db) => latchkey.app.artefacts.endEverythingOfUser(db, id))
      expect(await state(shop.configuration, tokens.access_token)).toEqual({ active: false })
      expect((await me(tokens.access_token)).status).toBe(401)
    })
  })

  describe('revocation', () => {
    it('of an access token ends it, and says nothing about a token that was none', async () => {
      const tokens = await signIn()
      expect((await me(tokens.access_token)).status).toBe(200)
      await openid.tokenRevocation(shop.configuration, tokens.access_token)
      expect((await me(tokens.access_token)).status).toBe(401)
      await openid.tokenRevocation(shop.configuration, tokens.access_token)
      await openid.tokenRevocation(shop.configuration, 'unknown')
    })

    it('of a refresh token ends the access tokens that came from it too (RFC 7009 §2.1)', async () => {
      const tokens = await signIn()
      const renewed = await openid.refreshTokenGrant(shop.configuration, refresh(tokens))
      await openid.tokenRevocation(shop.configuration, refresh(tokens))
      expect([(await me(tokens.access_token)).status, (await me(renewed.access_token)).status]).toEqual([
        401, 401,
      ])
      await expect(openid.refreshTokenGrant(shop.configuration, refresh(tokens))).rejects.toMatchObject({
        error: 'invalid_grant',
      })
    })

    it('works for the tokens of a public client', async () => {
      const tokens = await signIn(app)
      await openid.tokenRevocation(app.configuration, tokens.access_token)
      expect((await me(tokens.access_token)).status).toBe(401)
    })

    it('by another client changes nothing, and does not tell that there was a token', async () => {
      const tokens = await signIn()
      for (const stranger of [blog.configuration, stock, app.configuration]) {
        for (const token of [tokens.access_token, refresh(tokens)])
          await openid.tokenRevocation(stranger, token)
      }
      expect((await me(tokens.access_token)).status).toBe(200)
      expect((await openid.refreshTokenGrant(shop.configuration, refresh(tokens))).access_token).toBeDefined()
    })

    it('is refused without authentication', async () => {
      const tokens = await signIn()
      const response = await fetch(`${latchkey.issuer}/token/revocation`, {
        method: 'POST',
        body: new URLSearchParams({ token: tokens.access_token, client_id: shop.client.id }),
      })
      expect(response.status).toBe(401)
      expect((await me(tokens.access_token)).status).toBe(200)
    })
  })

  describe('mix-ups', () => {
    it('neither an ID token nor a refresh token nor a token for an API opens userinfo', async () => {
      const tokens = await signIn()
      const foreign = [
        (await openid.clientCredentialsGrant(service, { resource: opaqueApi, scope: 'stock:read' }))
          .access_token,
        (await openid.clientCredentialsGrant(service, { resource: jwtApi, scope: 'stock:read' }))
          .access_token,
        (await openid.clientCredentialsGrant(service)).access_token,
      ]
      for (const token of [tokens.id_token ?? '', refresh(tokens), ...foreign]) {
        const response = await me(token)
        expect([401, 403]).toContain(response.status)
        expect(response.headers.get('www-authenticate')).toMatch(/error="(invalid_token|insufficient_scope)"/)
        expect(await response.text()).not.toContain(ada.email)
      }
      expect((await me(tokens.access_token)).status).toBe(200)
    })

    it('neither an access token nor an ID token renews anything, nor does a refresh token of another client', async () => {
      const tokens = await signIn()
      for (const token of [tokens.access_token, tokens.id_token ?? '']) {
        await expect(openid.refreshTokenGrant(shop.configuration, token)).rejects.toMatchObject({
          error: 'invalid_grant',
        })
      }
      await expect(openid.refreshTokenGrant(blog.configuration, refresh(tokens))).rejects.toMatchObject({
        error: 'invalid_grant',
      })
      expect((await openid.refreshTokenGrant(shop.configuration, refresh(tokens))).access_token).toBeDefined()
    })

    it('neither kind of access token serves as id_token_hint', async () => {
      const tokens = await signIn()
      const jwt = (await openid.clientCredentialsGrant(service, { resource: jwtApi, scope: 'stock:read' }))
        .access_token
      for (const hint of [tokens.access_token, refresh(tokens), jwt]) {
        const { url } = await shop.request({ id_token_hint: hint })
        const page = await newVisitor().get(url)
        expect(new URL(page.location ?? '').searchParams.get('error')).toBe('invalid_request')
        const logout = await newVisitor().get(
          `${latchkey.issuer}/session/end?${new URLSearchParams({ id_token_hint: hint })}`,
        )
        expect(logout.status).toBeGreaterThanOrEqual(400)
        expect(logout.status).toBeLessThan(500)
      }
    })
  })
})
