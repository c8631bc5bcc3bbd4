import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { answered, isConsent, type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }

describe('the claims parameter (OpenID Connect Core 1.0 §5.5)', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let userId: string
  beforeAll(async () => {
    latchkey = await startLatchkey()
    userId = await latchkey.createUser(ada)
    shop = await relyingParty(latchkey, { firstParty: true })
  })
  afterAll(() => latchkey.close())

  const signIn = async (claims: unknown, scope = 'openid') =>
    await shop.signIn(newVisitor(), ada, {
      scope,
      claims: typeof claims === 'string' ? claims : JSON.stringify(claims),
    })
  const errorOf = async (claims: string): Promise<unknown> =>
    answered((await newVisitor().get((await shop.request({ claims })).url)).location).error

  it('puts single claims where they were asked for, and nowhere else', async () => {
    const tokens = await signIn({ id_token: { email: null }, userinfo: { name: { essential: true } } })
    expect(tokens.claims()).toMatchObject({ sub: userId, email: ada.email })
    expect(tokens.claims()).not.toHaveProperty('name')
    const userinfo = await openid.fetchUserInfo(shop.configuration, tokens.access_token, userId)
    expect(userinfo.name).toBe(ada.name)
    expect(userinfo).not.toHaveProperty('email')
  })

  it('gives nothing that is unknown here, and does not mind being asked', async () => {
    const claims = {
      id_token: { shoe_size: { essential: true }, __proto__: null, constructor: null, email: null },
    }
    const tokens = await signIn(claims)
    expect(Object.keys(tokens.claims() ?? {})).not.toContain('shoe_size')
    expect(tokens.claims()?.email).toBe(ada.email)
  })

  it('is shown to the person, who decides', async () => {
    const stranger = await relyingParty(latchkey, { name: 'Stranger', scopes: ['openid', 'email'] })
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const { url } = await stranger.request({ scope: 'openid', claims: '{"userinfo":{"email":null}}' })
    expect(isConsent(await visitor.follow(await visitor.get(url)))).toBe(true)
  })

  it('asks for a person by his identifier', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const silently = async (sub: unknown) => {
      const claims = JSON.stringify({ id_token: { sub: { value: sub } } })
      return answered((await visitor.get((await shop.request({ prompt: 'none', claims })).url)).location)
    }
    expect(await silently(userId)).toHaveProperty('code')
    expect(await silently('somebody else')).toMatchObject({ error: 'login_required' })
    expect(await silently({ $ne: null })).toMatchObject({ error: 'login_required' })
  })

  it('asks for a class of sign-in as essential, and is refused where none of ours is among them', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const silently = async (acr: unknown) => {
      const claims = JSON.stringify({ id_token: { acr } })
      return answered((await visitor.get((await shop.request({ prompt: 'none', claims })).url)).location)
    }
    expect(await silently({ essential: true, value: 'urn:latchkey:acr:single-factor' })).toHaveProperty(
      'code',
    )
    expect(await silently({ essential: true, values: ['urn:latchkey:acr:multi-factor'] })).toMatchObject({
      error: 'login_required',
    })
    expect(await silently({ essential: true, value: 'urn:other' })).toMatchObject({
      error: 'unmet_authentication_requirements',
    })
    expect(await silently({ value: 'urn:other' })).toHaveProperty('code')
  })

  it.each([
    'null',
    '[]',
    '"text"',
    '{}',
    '{"id_token":[]}',
    '{"userinfo":"x"}',
    'not json',
    '{"id_token":{"email":{"value":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}}',
  ])('is refused where it is %s', async (claims) => {
    expect(await errorOf(claims)).toBe('invalid_request')
  })

  it.each([
    '{"id_token":{"sub":null,"email":[1]}}',
    '{"id_token":{"acr":null},"userinfo":{"acr":{"values":"x"}}}',
    '{"id_token":{"acr":{"essential":true,"values":{}}}}',
    '{"id_token":{"sub":{"value":null}}}',
    '{"id_token":{"auth_time":{"essential":"yes"},"amr":7}}',
  ])('never becomes a failure of the server: %s', async (claims) => {
    const page = await newVisitor().get((await shop.request({ claims })).url)
    expect(page.status).toBeLessThan(500)
    const tokens = await Promise.allSettled([signIn(claims)])
    expect(JSON.stringify(tokens)).not.toContain('server_error')
  })
})
