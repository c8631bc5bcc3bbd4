import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Application, type Fields, register, walk } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { broughtBy, strictCallback } from '../support/strict-party.ts'
import { formsOf, newVisitor, type Page } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const types = ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token']

describe('the response mode form_post (OAuth 2.0 Form Post Response Mode)', () => {
  let latchkey: RunningLatchkey
  let shop: Application
  let old: Application
  const visitor = newVisitor()

  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: { LATCHKEY_CLIENTS_ALLOW_LEGACY: 'true' } })
    await latchkey.createUser(ada)
    shop = await register(latchkey, { redirectUris: [strictCallback] })
    old = await register(latchkey, {
      profile: 'legacy',
      redirectUris: [strictCallback],
      responseTypes: types,
    })
    const { params } = await shop.begin({ redirect_uri: strictCallback })
    await walk(visitor, await visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`), ada)
  })
  afterAll(() => latchkey.close())

  const ask = async (client: Application, more: Fields = {}): Promise<Page> => {
    const { params } = await client.begin({
      redirect_uri: strictCallback,
      response_mode: 'form_post',
      nonce: 'nonce',
      state: `"><script>alert(1)</script>&'`,
      ...more,
    })
    return await visitor.follow(await visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`))
  }

  it.each(types)(
    'brings %s in a form that goes to the application alone, and nothing in an address',
    async (type) => {
      const page = await ask(old, { response_type: type })
      expect([page.status, page.location]).toEqual([200, undefined])
      expect(formsOf(page).map(({ action }) => action)).toEqual([strictCallback])
      const given = Object.keys(broughtBy(page))
      const parts = { code: 'code', id_token: 'id_token', token: 'access_token' }
      const expected = Object.entries(parts).flatMap(([part, name]) =>
        type.split(' ').includes(part) ? [name] : [],
      )
      expect(given).toEqual(expect.arrayContaining([...expected, 'state']))
      expect(given.filter((name) => Object.values(parts).includes(name)).toSorted()).toEqual(
        expected.toSorted(),
      )
    },
  )

  it('is what a client of the default profile may ask for, too, and it names the issuer', async () => {
    expect(broughtBy(await ask(shop))).toMatchObject({ code: expect.any(String), iss: latchkey.issuer })
  })

  it('runs nothing of what the request says, and is kept by nobody', async () => {
    for (const page of [await ask(shop), await ask(shop, { prompt: 'none', scope: 'openid nothing' })]) {
      expect(page.text).not.toContain('<script>alert')
      const policy = page.headers.get('content-security-policy') ?? ''
      expect(policy).not.toContain('unsafe')
      expect(policy).toContain("form-action 'self' https://app.example.test;")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(page.headers.get('cache-control')).toContain('no-store')
      expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    }
  })

  it('brings errors as well, and never to an address that is not registered', async () => {
    const error = await ask(shop, { prompt: 'none', max_age: '0' })
    expect(broughtBy(error).error).toMatch(/login_required|invalid_request/)
    const foreign = await ask(shop, { redirect_uri: 'https://evil.test/' })
    expect([foreign.status, foreign.text.includes('action="https://evil.test')]).toEqual([400, false])
  })
})
