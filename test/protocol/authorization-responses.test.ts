import { createHash } from 'node:crypto'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  answered,
  callbackUrl,
  isSignIn,
  type RelyingParty,
  relyingParty,
  walkThrough,
} from '../support/relying-party.ts'
import { formsOf, newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }

describe('authorization', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true })
  })
  afterAll(() => latchkey.close())

  describe('responses', () => {
    it('are 303 after every form with credentials, so that no browser sends them on', async () => {
      const visitor = newVisitor()
      const page = await visitor.follow(await visitor.get((await shop.request()).url))
      const answer = await visitor.submit(
        page,
        { identifier: ada.email, password: ada.password },
        { action: '/password' },
      )
      expect([answer.status, answer.location?.startsWith(`${latchkey.issuer}/auth/`)]).toEqual([303, true])
      const back = await visitor.get(answer.location ?? '')
      expect([back.status, back.location?.startsWith(callbackUrl)]).toEqual([303, true])
      expect(back.headers.get('referrer-policy')).toBe('no-referrer')
      expect(back.headers.get('cache-control')).toContain('no-store')
    })

    it('carry state and issuer in the query (RFC 9207)', async () => {
      const request = await shop.request({ state: 'a state & more' })
      expect(answered(await walkThrough(newVisitor(), request.url, ada))).toEqual({
        code: expect.any(String),
        state: 'a state & more',
        iss: latchkey.issuer,
      })
    })

    it('come in the fragment where asked', async () => {
      const request = await shop.request({ response_mode: 'fragment' })
      const location = new URL(await walkThrough(newVisitor(), request.url, ada))
      expect(location.search).toBe('')
      expect(Object.fromEntries(new URLSearchParams(location.hash.slice(1)))).toMatchObject({
        code: expect.any(String),
        state: request.state,
      })
    })

    it('come as a form where asked, on a page that our policy lets submit itself to the application alone', async () => {
      const visitor = newVisitor()
      await shop.signIn(visitor, ada)
      const request = await shop.request({ response_mode: 'form_post' })
      const page = await visitor.get(request.url)
      expect(page.status).toBe(200)
      const policy = page.headers.get('content-security-policy') ?? ''
      const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(page.text) ?? []
      expect(policy).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`)
      expect(policy).toContain("form-action 'self' http://localhost:9999;")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toContain('unsafe')
      expect(page.headers.get('cache-control')).toContain('no-store')
      const [form] = formsOf(page)
      expect(form?.action).toBe(callbackUrl)
      const sent = new Request(form?.action ?? '', {
        method: 'POST',
        body: new URLSearchParams(form?.fields),
      })
      const tokens = await openid.authorizationCodeGrant(shop.configuration, sent, {
        pkceCodeVerifier: request.verifier,
        expectedState: request.state,
        expectedNonce: request.nonce,
      })
      expect(tokens.claims()?.sub).toBeDefined()
    })

    it('that are errors come as a form too', async () => {
      const { url } = await shop.request({ response_mode: 'form_post', prompt: 'none' })
      const page = await newVisitor().get(url)
      const [form] = formsOf(page)
      expect(form).toMatchObject({ action: callbackUrl, fields: { error: 'login_required' } })
      expect(page.headers.get('content-security-policy')).toContain(
        "form-action 'self' http://localhost:9999;",
      )
    })
  })

  describe('pushed authorization requests', () => {
    it('work, and once', async () => {
      const verifier = openid.randomPKCECodeVerifier()
      const url = await openid.buildAuthorizationUrlWithPAR(shop.configuration, {
        redirect_uri: callbackUrl,
        scope: 'openid',
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      const location = new URL(await walkThrough(newVisitor(), url.href, ada))
      const tokens = await openid.authorizationCodeGrant(shop.configuration, location, {
        pkceCodeVerifier: verifier,
      })
      expect(tokens.claims()?.sub).toBeDefined()
      const again = await newVisitor().get(url.href)
      expect(isSignIn(again)).toBe(false)
      expect(again.location === undefined || answered(again.location).error === 'invalid_request_uri').toBe(
        true,
      )
    })
  })
})
