import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  answered,
  callbackUrl,
  type RelyingParty,
  relyingParty,
  walkThrough,
} from '../support/relying-party.ts'
import { newVisitor, type Page } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }

describe('authorization requests', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let native: RelyingParty

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true })
    native = await relyingParty(latchkey, {
      kind: 'native',
      name: 'Desktop',
      firstParty: true,
      redirectUris: [
        'http://127.0.0.1/callback',
        'http://[::1]:7000/callback',
        'com.example.desktop:/callback',
      ],
    })
  })
  afterAll(() => latchkey.close())

  /** The first answer to a request, with parameters replaced, or left out where undefined. */
  const ask = async (
    party: RelyingParty,
    changes: Readonly<Record<string, string | undefined>>,
  ): Promise<Page> => {
    const url = new URL((await party.request()).url)
    for (const [name, value] of Object.entries(changes))
      value === undefined ? url.searchParams.delete(name) : url.searchParams.set(name, value)
    return await newVisitor().get(url.href)
  }
  const accepts = async (party: RelyingParty, redirectUri: string): Promise<boolean> => {
    const page = await ask(party, { redirect_uri: redirectUri })
    return page.location?.startsWith(`${latchkey.issuer}/interaction/`) ?? false
  }
  const isOurErrorPage = (page: Page): void => {
    expect(page.location).toBeUndefined()
    expect(page.status).toBe(400)
    const policy = page.headers.get('content-security-policy')
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("form-action 'self';")
    expect(page.text).toContain('The application sent a request that cannot be accepted')
  }

  describe('PKCE', () => {
    it.each([
      ['is missing', { code_challenge: undefined, code_challenge_method: undefined }],
      ['is plain', { code_challenge_method: 'plain' }],
      ['names no method, which means plain', { code_challenge_method: undefined }],
      ['names an unknown method', { code_challenge_method: 'S512' }],
      ['is too short', { code_challenge: 'short' }],
    ])('that %s is invalid_request at the application, public or not', async (_what, changes) => {
      for (const party of [shop, native]) {
        const { location } = await ask(party, changes)
        expect(answered(location)).toMatchObject({
          error: 'invalid_request',
          state: expect.any(String),
          iss: latchkey.issuer,
        })
        expect(location).not.toContain('code=')
      }
    })

    it('with the wrong verifier, or none, gives no token, and the code stays the owner’s', async () => {
      const request = await shop.request()
      const location = await walkThrough(newVisitor(), request.url, ada)
      const redeem = async (verifier: string | undefined): Promise<unknown> => {
        const { code = '' } = answered(location)
        const headers = { authorization: `Basic ${btoa(`${shop.client.id}:${shop.client.secret}`)}` }
        const body = new URLSearchParams({
          grant_type: 'authorization_code',
          code,
          redirect_uri: callbackUrl,
          ...(verifier !== undefined && { code_verifier: verifier }),
        })
        const response = await fetch(`${latchkey.issuer}/token`, { method: 'POST', headers, body })
        return [response.status, ((await response.json()) as { error?: string }).error]
      }
      expect(await redeem(openid.randomPKCECodeVerifier())).toEqual([400, 'invalid_grant'])
      expect(await redeem(undefined)).toEqual([400, 'invalid_grant'])
      expect(await redeem(new URL(request.url).searchParams.get('code_challenge') ?? '')).toEqual([
        400,
        'invalid_grant',
      ])
      expect(await redeem(request.verifier)).toEqual([200, undefined])
    })

    it('protects public applications too, which prove nothing else', async () => {
      const request = await native.request()
      const location = await walkThrough(newVisitor(), request.url, ada)
      await expect(
        native.redeem({ ...request, verifier: openid.randomPKCECodeVerifier() }, location),
      ).rejects.toMatchObject({ error: 'invalid_grant' })
      expect((await native.redeem(request, location)).access_token).toBeDefined()
    })
  })

  describe('redirect URIs', () => {
    it.each([
      ['another case', 'http://localhost:9999/Callback'],
      ['a slash more', `${callbackUrl}/`],
      ['a query more', `${callbackUrl}?next=https://evil.test`],
      ['a path below', `${callbackUrl}/../evil`],
      ['an encoded path', 'http://localhost:9999/%63allback'],
      ['dots that lead back', 'http://localhost:9999/x/../callback'],
      ['a fragment', `${callbackUrl}#fragment`],
      ['userinfo', 'http://evil@localhost:9999/callback'],
      ['userinfo that looks like the host', 'http://localhost:9999@evil.test/callback'],
      ['a host that begins alike', 'http://localhost:9999.evil.test/callback'],
      ['a backslash', 'http://localhost:9999\\@evil.test/callback'],
      ['another port', 'http://localhost:9998/callback'],
      ['another scheme', 'https://localhost:9999/callback'],
      ['another loopback name', 'http://127.0.0.1:9999/callback'],
      ['a script', 'javascript:alert(1)'],
      ['a space before', ` ${callbackUrl}`],
      ['a line break', `${callbackUrl}\r\nLocation: https://evil.test`],
      ['nothing', ''],
    ])('with %s are refused on a page of ours', async (_what, redirectUri) => {
      isOurErrorPage(await ask(shop, { redirect_uri: redirectUri }))
    })

    it('must be there although only one is registered', async () => {
      isOurErrorPage(await ask(shop, { redirect_uri: undefined }))
    })

    it('of native applications may name any port on this machine, and nothing else that differs (RFC 8252 §7.3)', async () => {
      const accepted = [
        'http://127.0.0.1:51004/callback',
        'http://127.0.0.1/callback',
        'http://[::1]:51004/callback',
        'com.example.desktop:/callback',
      ]
      for (const uri of accepted) expect([uri, await accepts(native, uri)]).toEqual([uri, true])
      const refused = [
        'http://127.0.0.1:51004/other',
        'http://127.0.0.1:51004/callback?x=1',
        'https://127.0.0.1:51004/callback',
        'http://localhost:51004/callback',
        'http://127.0.0.1.evil.test/callback',
        'http://127.0.0.1@evil.test/callback',
        'com.example.desktop:/other',
        'com.example.desktop.evil:/callback',
      ]
      for (const uri of refused) expect([uri, await accepts(native, uri)]).toEqual([uri, false])
    })

    it('must be the same when the code is exchanged', async () => {
      const party = await relyingParty(latchkey, {
        name: 'Two',
        firstParty: true,
        redirectUris: [callbackUrl, 'http://localhost:9999/other'],
      })
      const request = await party.request()
      const location = await walkThrough(newVisitor(), request.url, ada)
      await expect(party.redeem(request, location.replace('/callback', '/other'))).rejects.toMatchObject({
        error: 'invalid_grant',
      })
    })
  })

  describe('errors', () => {
    it.each([
      ['an unknown scope parameter value', { scope: 'profile', prompt: 'none' }],
      ['an unknown prompt', { prompt: 'dance' }],
      ['the implicit flow', { response_type: 'token' }],
      ['the hybrid flow', { response_type: 'code id_token' }],
      ['an ID token alone', { response_type: 'id_token' }],
      ['an unknown response type', { response_type: 'everything' }],
      ['no response type', { response_type: undefined }],
      ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
      ['an unknown response mode', { response_mode: 'smoke' }],
    ])('of %s go to the registered address alone, or nowhere', async (_what, changes) => {
      const page = await ask(shop, changes)
      if (page.location === undefined) return isOurErrorPage(page)
      const { origin, pathname, searchParams, hash } = new URL(page.location)
      expect(origin + pathname).toBe(callbackUrl)
      expect(searchParams.get('error') ?? hash).toMatch(
        /^(#.*error=)?(unsupported_|invalid_|login_required|request_)/,
      )
      expect(page.location).not.toMatch(/[?&#](code|access_token|id_token)=/)
    })

    it.each([
      ['an unknown client', { client_id: 'nobody' }],
      ['no client', { client_id: undefined }],
      ['a foreign redirect URI', { redirect_uri: 'https://evil.test/' }],
      [
        'a foreign redirect URI and more faults',
        { redirect_uri: 'https://evil.test/', response_type: 'token', code_challenge: undefined, scope: 'x' },
      ],
    ])('of %s never leave our own page', async (_what, changes) => {
      isOurErrorPage(await ask(shop, changes))
    })

    it('are explained without being executed', async () => {
      const page = await ask(shop, {
        redirect_uri: 'https://evil.test/',
        client_id: '<script>alert(1)</script>',
      })
      expect(page.text).not.toContain('<script>alert')
    })

    it('of repeated parameters are refused', async () => {
      const { url } = await shop.request()
      const page = await newVisitor().get(`${url}&redirect_uri=${encodeURIComponent('https://evil.test/')}`)
      isOurErrorPage(page)
      expect(answered((await newVisitor().get(`${url}&scope=openid`)).location)).toMatchObject({
        error: 'invalid_request',
      })
    })
  })
})
